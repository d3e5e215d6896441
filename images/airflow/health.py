"""Exit 0 when one Airflow component is healthy: python health.py scheduler|dag_processor|triggerer|api_server

Asks the API server, which reads every component's heartbeat from the database. `airflow jobs check` says the same but
takes seconds of processor time at each call.
"""

import json
import sys
import urllib.request

URL = "http://{host}:8080/api/v2/monitor/health"


def healthy(component: str) -> bool:
    """Whether the component's last heartbeat is recent; for the API server, whether it answers and has its database."""
    host = "localhost" if component == "api_server" else "airflow-api-server"
    with urllib.request.urlopen(URL.format(host=host), timeout=5) as answer:
        report = json.load(answer)
    status = report["metadatabase" if component == "api_server" else component]["status"]
    return bool(status == "healthy")


if __name__ == "__main__":
    sys.exit(0 if healthy(sys.argv[1]) else 1)
