-- The two roles of the service and its database, for psql and a superuser of PostgreSQL 15 or newer. Typed again, it
-- sets the passwords that the addresses hold now.
--
-- The addresses come from the environment (SERVICE_URL, OWNER_URL) or, in the container of docker-compose.yml,
-- from its secrets; so no password is in a command line.
\set ON_ERROR_STOP on
\set QUIET on
\getenv service_url SERVICE_URL
\getenv owner_url OWNER_URL
\if :{?service_url}
\else
\set service_url `cat /run/secrets/database_url`
\set owner_url `cat /run/secrets/database_owner_url`
\endif

SELECT part[1] AS role, part[2] AS password, part[3] AS database
FROM regexp_match(:'service_url', '^postgresql://([a-z_]+):([^@:/]+)@[^/]*/([a-z_]+)') AS part
\gset service_
SELECT part[1] AS role, part[2] AS password
FROM regexp_match(:'owner_url', '^postgresql://([a-z_]+):([^@:/]+)@') AS part
\gset owner_

SELECT format('CREATE ROLE %I', role) FROM unnest(ARRAY[:'service_role', :'owner_role']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
\gexec
SELECT format('CREATE DATABASE %I', :'service_database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service_database')
\gexec

ALTER ROLE :"service_role" LOGIN PASSWORD :'service_password';
ALTER ROLE :"owner_role" LOGIN PASSWORD :'owner_password';
ALTER DATABASE :"service_database" OWNER TO :"owner_role";
REVOKE ALL ON DATABASE :"service_database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"service_database" TO :"service_role";
\echo Database :service_database belongs to :owner_role, and :service_role may use it.
