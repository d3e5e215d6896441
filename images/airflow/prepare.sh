#!/bin/sh
# What has to be there before the Airflow services start; safe to repeat. Unpauses nothing.
set -eu
airflow db migrate
airflow users create --username admin --password "$NOCTURNE_ADMIN_PASSWORD" --role Admin \
  --firstname Nocturne --lastname Admin --email admin@example.invalid
# The number of slots is a person's to change in the UI afterwards, so an existing pool stays as it is.
airflow pools get gpu >/dev/null 2>&1 || airflow pools set gpu 1 "One training at a time: as many slots as there are GPUs"
