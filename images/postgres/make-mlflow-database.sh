#!/bin/sh
# Run once by the postgres image, when its data folder is new: MLflow's database and user beside Airflow's.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$MLFLOW_DB_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE USER mlflow PASSWORD :'password';
CREATE DATABASE mlflow OWNER mlflow;
SQL
