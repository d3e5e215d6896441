"""What the socket proxy lets through, as a table: everything that is not in it is refused."""

import importlib.util
import json
import re
import sys

import pytest

from containers.conftest import ROOT

spec = importlib.util.spec_from_file_location("policy", ROOT / "images/socket-proxy/policy.py")
policy = importlib.util.module_from_spec(spec)
sys.modules["policy"] = policy
spec.loader.exec_module(policy)

RULES = policy.Policy("nocturne", re.compile(r"nocturne/(curate|finetune)[:@].+"), frozenset({"nocturne_tasks"}))
HOST = {"NetworkMode": "nocturne_tasks", "Memory": 1 << 30, "NanoCpus": 10**9, "Init": True, "PidsLimit": 100}


def create(host=None, **fields):
    body = {"Image": "nocturne/curate:1", "Cmd": ["clean"], "Env": ["A=b"], "HostConfig": HOST | (host or {})} | fields
    return json.loads(policy.check_create(json.dumps(body).encode(), RULES))


def test_a_stage_may_be_made_with_limits_and_gets_no_capability():
    made = create(Labels={"dag": "refresh"}, User="10001")
    assert made["Labels"] == {"dag": "refresh", "nocturne.socket-proxy": "nocturne"}
    assert made["HostConfig"] == HOST | {"CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"]}


def test_a_gpu_may_be_asked_for():
    asked = [{"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}]
    assert (
        create({"DeviceRequests": asked, "ShmSize": 1 << 30, "Runtime": "nvidia"})["HostConfig"]["DeviceRequests"]
        == asked
    )


def test_fields_that_say_nothing_are_dropped():
    made = create({"Binds": None, "Privileged": False, "CapAdd": [], "PidMode": ""}, Volumes={})
    assert not made["HostConfig"].keys() & {"Binds", "Privileged", "CapAdd", "PidMode"}
    assert "Volumes" not in made


@pytest.mark.parametrize(
    "host",
    [
        {"Privileged": True},
        {"privileged": True},
        {"Binds": ["/:/host"]},
        {"Mounts": [{"Type": "bind", "Source": "/", "Target": "/host"}]},
        {"Mounts": [{"Type": "volume", "Source": "nocturne_postgres", "Target": "/pg"}]},
        {"Mounts": [{"type": "bind", "Source": "/", "Target": "/host"}]},
        {"VolumesFrom": ["nocturne-postgres-1"]},
        {"PidMode": "host"},
        {"IpcMode": "host"},
        {"UTSMode": "host"},
        {"UsernsMode": "host"},
        {"CgroupParent": "/"},
        {"NetworkMode": "host"},
        {"NetworkMode": "container:nocturne-postgres-1"},
        {"NetworkMode": "nocturne_default"},
        {"NetworkMode": ""},
        {"CapAdd": ["SYS_ADMIN"]},
        {"Devices": [{"PathOnHost": "/dev/sda"}]},
        {"DeviceRequests": [{"Driver": "cdi", "DeviceIDs": ["vendor.com/disk=0"]}]},
        {"DeviceRequests": [{"Driver": "cdi", "DeviceIDs": ["vendor.com/disk=0"], "Capabilities": [["gpu"]]}]},
        {"SecurityOpt": ["seccomp=unconfined"]},
        {"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "tcp://192.0.2.1"}}},
        {"RestartPolicy": {"Name": "always"}},
        {"Runtime": "/usr/bin/runc"},
        {"Sysctls": {"net.ipv4.ip_forward": "1"}},
        {"PortBindings": {"80/tcp": [{"HostPort": "80"}]}},
        {"SomethingOfTomorrow": True},
        {"Mounts": 3},
    ],
    ids=json.dumps,
)
def test_what_reaches_the_host_is_refused(host):
    with pytest.raises(policy.Refused):
        create(host)


@pytest.mark.parametrize(
    "fields",
    [
        {"Image": "postgres:17"},
        {"Image": "evil/nocturne/curate:1"},
        {"Image": None},
        {"User": "root"},
        {"User": "0:10001"},
        {"Volumes": {"/var/lib/docker": {}}},
        {"NetworkingConfig": {"EndpointsConfig": {"nocturne_default": {}}}},
        {"HostConfig": None},
        {"HostConfig": []},
    ],
    ids=json.dumps,
)
def test_foreign_images_users_and_networks_are_refused(fields):
    with pytest.raises(policy.Refused):
        create(**fields)


@pytest.mark.parametrize(
    "body",
    [
        b'{"Image": "nocturne/curate:1", "image": "postgres:17", "HostConfig": {"NetworkMode": "none"}}',
        b'{"Image": "nocturne/curate:1", "HostConfig": {"NetworkMode": "none"}, "HostConfig": {"Privileged": true}}',
        b'{"Image": "nocturne/curate:1", "hostconfig": {"Privileged": true}, "HostConfig": {"NetworkMode": "none"}}',
        b"[]",
        b"3",
    ],
)
def test_a_field_cannot_be_said_twice_or_in_another_case(body):
    with pytest.raises(policy.Refused):
        policy.check_create(body, RULES)


@pytest.mark.parametrize(
    ("method", "target", "kind"),
    [
        ("GET", "/_ping", "ping"),
        ("HEAD", "/_ping", "ping"),
        ("GET", "/v1.41/version", "about"),
        ("GET", "/v1.41/images/nocturne/curate:local/json", "image"),
        ("POST", "/v1.41/images/create?fromImage=nocturne/curate&tag=1", "pull"),
        ("GET", "/v1.41/containers/json?all=1", "list"),
        ("POST", "/v1.41/containers/create?name=x", "create"),
        ("POST", "/v1.41/containers/abc/start", "steer"),
        ("GET", "/v1.41/containers/abc/logs?follow=1", "read"),
        ("GET", "/v1.41/containers/abc/archive?path=/airflow/xcom/return.json", "read"),
        ("DELETE", "/v1.41/containers/abc?force=True", "remove"),
    ],
)
def test_the_calls_that_running_a_stage_needs(method, target, kind):
    assert policy.route(method, target).kind == kind


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1.41/containers/abc/exec"),
        ("POST", "/v1.41/containers/abc/attach"),
        ("PUT", "/v1.41/containers/abc/archive?path=/"),
        ("POST", "/v1.41/containers/abc/update"),
        ("POST", "/v1.41/build"),
        ("GET", "/v1.41/volumes"),
        ("GET", "/v1.41/secrets"),
        ("POST", "/v1.41/commit?container=abc"),
        ("GET", "/v1.41/images/../containers/abc/json"),
        ("GET", "/v1.41/containers/abc%2F..%2Fdef/json"),
        ("GET", "/v1.41/v1.40/containers/json"),
        ("GET", "//containers/json"),
        ("POST", "/v1.41/containers/prune"),
        ("DELETE", "/v1.41/images/nocturne/curate:local"),
        ("GET", "/v1.41/containers/json?all=1&all=0"),
        ("get", "/_ping"),
    ],
)
def test_every_other_call_is_refused(method, target):
    with pytest.raises(policy.Refused):
        policy.route(method, target)


@pytest.mark.parametrize(
    "query",
    [
        {"fromImage": "alpine", "tag": "latest"},
        {"fromSrc": "http://192.0.2.1/rootfs.tar", "repo": "nocturne/curate", "tag": "1"},
        {"fromImage": "nocturne/curate"},
        {},
    ],
    ids=json.dumps,
)
def test_only_our_own_images_are_pulled(query):
    policy.check_pull({"fromImage": "nocturne/curate", "tag": "1"}, RULES)
    with pytest.raises(policy.Refused):
        policy.check_pull(query, RULES)


def test_a_listing_shows_only_containers_made_here():
    found = json.loads(policy.own_filter({"filters": '{"label": ["dag=refresh"]}'}, RULES)["filters"])
    assert found == {"label": ["dag=refresh", "nocturne.socket-proxy=nocturne"]}
