#!/bin/sh
# A command of Dosegate as the service itself would run it, on a machine where systemd runs it; for root.
# Installed as /usr/local/sbin/dosegate: dosegate users add ada --role admin
set -eu
set -a
. /etc/dosegate/dosegate.env
DOSEGATE_DATABASE_URL=$(cat /etc/dosegate/secrets/database_url)
DOSEGATE_SIGNING_KEYS=/var/lib/dosegate/signing.pem
set +a
cd /var/lib/dosegate
exec runuser -u dosegate -- /opt/dosegate/bin/dosegate "$@"
