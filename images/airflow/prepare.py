"""What has to be there before the Airflow services start: the database's tables, the admin, the GPU pool.

Safe to repeat; unpauses nothing. Runs Airflow's own commands in one process, because each costs seconds to start.
"""

import os

from airflow.cli.cli_parser import get_parser
from airflow.models.pool import Pool


def airflow(*words: str) -> None:
    """Run one `airflow` command. Raises SystemExit when it fails."""
    arguments = get_parser().parse_args(words)
    arguments.func(arguments)


def main() -> None:
    """Migrate, make the admin, make the pool where there is none."""
    airflow("db", "migrate")
    person = ["--firstname", "Nocturne", "--lastname", "Admin", "--email", "admin@example.invalid"]
    password = os.environ["NOCTURNE_ADMIN_PASSWORD"]
    airflow("users", "create", "--username", "admin", "--password", password, "--role", "Admin", *person)
    # A stage's container gets all GPUs, so a slot stands for them together. It is a person's to change afterwards.
    if Pool.get_pool("gpu") is None:
        airflow("pools", "set", "gpu", "1", "One GPU task at a time, with all GPUs of the machine")


if __name__ == "__main__":
    main()
