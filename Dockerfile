# The build has a compiler, because durable-rules is published as source only. The image that runs has none.

FROM python:3.13-slim AS builder

RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /build

COPY requirements/build.txt requirements/run.txt requirements/
RUN pip install --quiet --require-hashes --only-binary :all: -r requirements/build.txt

# Without the flag durable-rules compiles and then does not import on Python 3.13.
RUN CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject \
    pip wheel --quiet --require-hashes --no-deps --only-binary :all: --no-binary durable-rules \
        --use-pep517 --no-build-isolation --wheel-dir wheels -r requirements/run.txt

COPY pyproject.toml README.md ./
COPY service service
COPY rules rules
RUN pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels . \
 && python -m venv /app \
 && /app/bin/pip install --quiet --no-index --no-deps wheels/*.whl \
 && /app/bin/pip check \
 && /app/bin/python -I -c "import durable_rules_engine, service.app" \
 && /app/bin/pip uninstall --quiet --yes pip


FROM python:3.13-slim

# Pango lays out the text of a printed checklist.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin dosegate \
 && install --directory --owner dosegate --group dosegate --mode 0700 /data

COPY --from=builder /app /app

# Byte code was compiled when the packages were installed; nothing but /data and /tmp is ever written.
ENV PATH=/app/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DOSEGATE_DATABASE_URL=sqlite:////data/dosegate.db \
    DOSEGATE_SIGNING_KEYS=/data/signing.pem \
    WEB_CONCURRENCY=2

USER 10001:10001
WORKDIR /
VOLUME /data
EXPOSE 8080

HEALTHCHECK --interval=30s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2).read()"]

# "dosegate serve" answers on the loopback address only, which is right for a person's own machine and of no use
# in a container: here gunicorn listens, with sync workers, because the rules engine is not proof against threads.
# WEB_CONCURRENCY is the number of workers.
CMD ["gunicorn", "service.app:create_app()", \
     "--bind", "0.0.0.0:8080", \
     "--worker-class", "service.worker.Worker", \
     "--log-level", "error", \
     "--worker-tmp-dir", "/tmp", \
     "--no-control-socket", \
     "--timeout", "30"]
