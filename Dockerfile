# The build has a compiler, because durable-rules is published as source only. The image that runs has none, and no pip.

FROM python:3.13-slim-trixie AS builder

# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /build

# All that the service needs, and what traces are sent with; every package by its version and its hash.
COPY requirements/build.txt requirements/tracing.txt requirements/
RUN pip install --quiet --require-hashes --only-binary :all: -r requirements/build.txt

# Without the flag durable-rules compiles and then does not import on Python 3.13.
# hadolint ignore=DL3059
RUN CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject \
    pip wheel --quiet --require-hashes --no-deps --only-binary :all: --no-binary durable-rules \
        --use-pep517 --no-build-isolation --wheel-dir wheels -r requirements/tracing.txt

COPY pyproject.toml README.md ./
COPY service service
COPY rules rules
RUN pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels . \
 && python -m venv /app \
 && /app/bin/pip install --quiet --no-index --no-deps wheels/*.whl \
 && /app/bin/pip check \
 && /app/bin/python -I -c "import durable_rules_engine, service.app, opentelemetry.sdk" \
 && /app/bin/pip uninstall --quiet --yes pip


FROM python:3.13-slim-trixie

LABEL org.opencontainers.image.title="Dosegate" \
      org.opencontainers.image.description="Pre-infusion checklist for monoclonal antibodies: every item answered, cited and replayable." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.documentation="docs/operations.md"

# Pango lays out the text of a printed checklist. Debian's mends of it are wanted, so no version is named.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && pip uninstall --quiet --yes --root-user-action ignore pip \
 && rm -rf /usr/local/lib/python3.13/ensurepip \
 && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin dosegate \
 && install --directory --owner dosegate --group dosegate --mode 0700 /data

COPY --from=builder /app /app

# Byte code was compiled when the packages were installed; nothing but /data and /tmp is ever written.
ENV PATH=/app/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# Here the signing key is kept and, where no other database is named, a SQLite file.
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8080

HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4).read()"]

ENTRYPOINT ["dosegate"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080", "--workers", "4"]
