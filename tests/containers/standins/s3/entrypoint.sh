#!/bin/sh
# Takes MinIO's variables (MINIO_ROOT_USER, MINIO_ROOT_PASSWORD) and serves S3 on port 9000; arguments are ignored.
set -eu
export CEPH_CONF=/ceph.conf
data=/data/ceph fsid=00000000-0000-0000-0000-000000000001
new=
if [ ! -d $data/mon ]; then
  new=1
  mkdir -p $data/mon $data/osd
  monmaptool --create --fsid $fsid --addv a '[v2:127.0.0.1:3300,v1:127.0.0.1:6789]' /tmp/monmap >/dev/null
  ceph-authtool --create-keyring /tmp/keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
  ceph-mon -i a --mkfs --monmap /tmp/monmap --keyring /tmp/keyring
fi
ceph-mon -i a
if [ "$new" ]; then
  osd=$(cat /proc/sys/kernel/random/uuid)
  ceph osd new "$osd" >/dev/null
  ceph-osd -i 0 --mkfs --osd-uuid "$osd" --no-mon-config >/tmp/osd.log 2>&1
fi
ceph-osd -i 0
[ -z "$new" ] || radosgw-admin --no-mon-config user create --uid=root --display-name=root \
  --access-key="${MINIO_ROOT_USER:?}" --secret-key="${MINIO_ROOT_PASSWORD:?}" >/tmp/user.log 2>&1
exec radosgw -f --no-mon-config -n client.admin
