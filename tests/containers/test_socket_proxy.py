"""The socket proxy before a real engine: what it makes it may use, and nothing else."""

import http.client
import json
import time

import pytest

from containers.conftest import docker
from proxied_engine import proxied_engine

pytestmark = pytest.mark.needs_docker
HOST = {"NetworkMode": "none", "Memory": 64 << 20}


class Client:
    """Calls the proxy as an engine's client does."""

    def __init__(self, port):
        self.port = port

    def open(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        return connection.getresponse()

    def __call__(self, method, path, body=None):
        answer = self.open(method, path, body)
        raw = answer.read()
        parsed = json.loads(raw) if raw and answer.headers["Content-Type"] == "application/json" else raw
        return answer.status, parsed


@pytest.fixture(scope="module")
def engine(image):
    image("generate")
    with proxied_engine("nocturne/generate:.+", "bridge") as port:
        yield Client(port)
    for left in docker("ps", "-aq", "--filter", f"label=nocturne.socket-proxy=test-{port}").split():
        docker("rm", "-f", left)


@pytest.fixture
def made(engine, image):
    def make(code):
        body = {"Image": image("generate"), "Entrypoint": ["python", "-uc", code], "HostConfig": HOST}
        status, answer = engine("POST", "/v1.41/containers/create", body)
        assert status == 201, answer
        return answer["Id"]

    return make


@pytest.fixture
def stranger(image):
    name = docker("create", "--network", "none", image("generate")).strip()
    yield name
    docker("rm", "-f", name)


def test_a_stage_runs_from_create_to_remove(engine, made):
    code = "open('/airflow/xcom/return.json', 'w').write('{}'); print('done')"
    container = made(code)
    assert engine("POST", f"/containers/{container}/start")[0] == 204
    assert engine("POST", f"/v1.41/containers/{container}/wait")[1]["StatusCode"] == 0
    assert b"done" in engine("GET", f"/containers/{container}/logs?stdout=1")[1]
    status, archive = engine("GET", f"/containers/{container}/archive?path=/airflow/xcom/return.json")
    assert status == 200
    assert b"return.json" in archive
    assert engine("GET", f"/containers/{container}/json")[1]["HostConfig"]["CapDrop"] == ["ALL"]
    assert engine("DELETE", f"/containers/{container}?force=1")[0] == 204
    assert engine("GET", f"/containers/{container}/json")[0] == 404


def test_a_followed_log_comes_line_by_line(engine, made):
    container = made("import time; print('first'); time.sleep(20)")
    engine("POST", f"/containers/{container}/start")
    started = time.monotonic()
    answer = engine.open("GET", f"/containers/{container}/logs?stdout=1&follow=1")
    assert b"first" in answer.read1(100)
    assert time.monotonic() - started < 10
    assert engine("POST", f"/containers/{container}/kill")[0] == 204


def test_containers_of_others_cannot_be_seen_or_touched(engine, stranger):
    assert stranger not in json.dumps(engine("GET", "/containers/json?all=1")[1])
    for method, path in (("GET", "json"), ("GET", "archive?path=/etc/passwd"), ("POST", "start"), ("POST", "kill")):
        status, answer = engine(method, f"/containers/{stranger}/{path}")
        assert (status, "was not made through this proxy" in answer["message"]) == (403, True)
    assert engine("DELETE", f"/containers/{stranger}?force=1")[0] == 403
    assert docker("inspect", "-f", "{{.State.Status}}", stranger).strip() == "created"


def test_a_label_cannot_be_forged(engine, image):
    body = {"Image": image("generate"), "HostConfig": HOST, "Labels": {"nocturne.socket-proxy": "someone-else"}}
    container = engine("POST", "/containers/create", body)[1]["Id"]
    labels = engine("GET", f"/containers/{container}/json")[1]["Config"]["Labels"]
    assert labels["nocturne.socket-proxy"] == f"test-{engine.port}"


def test_a_refusal_reads_like_an_engine_error(engine, image):
    body = {"Image": image("generate"), "HostConfig": HOST | {"Privileged": True}}
    assert engine("POST", "/v1.41/containers/create", body) == (
        403,
        {"message": "socket-proxy: HostConfig.Privileged is not allowed"},
    )


def test_a_gpu_request_reaches_the_engine_as_it_is(engine, image):
    asked = [{"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}]
    body = {"Image": image("generate"), "HostConfig": HOST | {"DeviceRequests": asked}}
    container = engine("POST", "/containers/create", body)[1]["Id"]
    found = engine("GET", f"/containers/{container}/json")[1]["HostConfig"]["DeviceRequests"][0]
    assert {name: found[name] for name in asked[0]} == asked[0]


def test_a_chunked_body_is_refused(engine):
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=10)
    connection.putrequest("POST", "/containers/create")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()  # it is refused by its head; what is sent after it may meet a closed connection
    assert connection.getresponse().status == 403
