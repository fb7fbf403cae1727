#!/usr/bin/env bash
# Makes an image for a Raspberry Pi that is a lock and nothing else.
#
#   sudo deploy/pi/build-image.sh BASE.img SHA256 OUT.img [BOARD.toml]
#
# BASE.img is an unpacked Raspberry Pi OS Lite (64 bit, bookworm or newer) and SHA256 its digest, from the makers'
# page. Needs root, parted, e2fsprogs, rsync, systemd-container, and on another processor than ARM qemu-user-static.
# The image has a root file system that is never written, and a data partition of its own for keys and log.
set -euo pipefail

readonly ROOM_MIB=900 DATA_MIB=128
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
mounted=
loop=

fail() {
    echo "build-image: $*" >&2
    exit 1
}

clean_up() {
    if [ -n "$mounted" ]; then
        umount --recursive "$mounted" || true
        rmdir "$mounted" || true
    fi
    if [ -n "$loop" ]; then losetup --detach "$loop" || true; fi
}

check() {
    [ "$(id -u)" = 0 ] || fail "must run as root: it mounts the image"
    local tool
    for tool in parted losetup resize2fs e2fsck mkfs.ext4 rsync systemd-nspawn sha256sum; do
        command -v "$tool" >/dev/null || fail "missing: $tool"
    done
    [ -r "$base" ] || fail "there is no $base"
    [ ! -e "$out" ] || fail "$out is there already"
    echo "$digest  $base" | sha256sum --check --quiet || fail "$base is not the image that was meant"
    grep -q '^\[\(bolt\|strike\|lamp\)\]' "$board" || fail "$board is no board file"
}

# Room for the program in the root file system, and a partition for what must survive.
partition() {
    cp --sparse=always "$base" "$out"
    truncate --size="+$((ROOM_MIB + DATA_MIB))M" "$out"
    parted --script "$out" -- resizepart 2 "-$((DATA_MIB + 1))MiB" mkpart primary ext4 "-${DATA_MIB}MiB" 100%
    loop=$(losetup --find --show --partscan "$out")
    e2fsck -fp "${loop}p2" || [ $? -le 2 ]
    resize2fs "${loop}p2"
    mkfs.ext4 -q -L nyckelfri -O metadata_csum "${loop}p3"
}

mount_all() {
    mounted=$(mktemp -d)
    mount "${loop}p2" "$mounted"
    mount "${loop}p1" "$mounted/boot/firmware"
    mkdir -p "$mounted/var/lib/nyckelfri"
    mount "${loop}p3" "$mounted/var/lib/nyckelfri"
}

copy_program() {
    mkdir -p "$mounted/opt/nyckelfri" "$mounted/etc/nyckelfri"
    rsync --archive --exclude='__pycache__' "$repository/lockagent" "$repository/protocol" \
        "$here/requirements.lock" "$mounted/opt/nyckelfri/"
    install -m 0644 "$board" "$mounted/etc/nyckelfri/board.toml"
    install -m 0644 "$here"/*.service "$mounted/etc/systemd/system/"
}

# Inside the image, as its own root.
settle_in() {
    systemd-nspawn --quiet --directory="$mounted" --resolv-conf=copy-host --pipe /bin/bash -euo pipefail <<'INSIDE'
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --no-install-recommends python3-venv bluez libusb-1.0-0 >/dev/null
python3 -m venv /opt/nyckelfri/venv
/opt/nyckelfri/venv/bin/pip install --quiet --require-hashes --only-binary :all: -r /opt/nyckelfri/requirements.lock
/opt/nyckelfri/venv/bin/python -m compileall -q /opt/nyckelfri/lockagent /opt/nyckelfri/protocol
adduser --system --group --no-create-home --home /nonexistent nyckelfri
usermod --append --groups gpio,spi nyckelfri
chown nyckelfri: /var/lib/nyckelfri
systemctl enable --quiet nyckelfri-lock.service
systemctl mask --quiet bluetooth.service hciuart.service ssh.service apt-daily.timer apt-daily-upgrade.timer \
    userconfig.service dphys-swapfile.service
apt-get clean
rm -rf /var/lib/apt/lists/*
INSIDE
}

configure() {
    cat >>"$mounted/boot/firmware/config.txt" <<'LINES'

[all]
dtparam=spi=on
dtoverlay=disable-wifi
LINES
    # Nothing but the data partition is ever written: pulling the plug harms nothing.
    cat >"$mounted/etc/fstab" <<'LINES'
proc                   /proc               proc   defaults                                  0 0
LABEL=bootfs           /boot/firmware      vfat   ro                                        0 2
LABEL=rootfs           /                   ext4   ro,noatime                                0 1
LABEL=nyckelfri        /var/lib/nyckelfri  ext4   rw,noatime,nodev,nosuid,noexec            0 2
tmpfs                  /tmp                tmpfs  nodev,nosuid,size=16m                     0 0
tmpfs                  /var/log            tmpfs  nodev,nosuid,noexec,size=16m              0 0
tmpfs                  /var/tmp            tmpfs  nodev,nosuid,noexec,size=8m               0 0
LINES
    sed --in-place 's| init=[^ ]*||; s| quiet||; s|$| ro|' "$mounted/boot/firmware/cmdline.txt"
    echo nyckelfri-lock >"$mounted/etc/hostname"
    rm -f "$mounted/etc/machine-id" && touch "$mounted/etc/machine-id"
}

[ $# -ge 3 ] && [ $# -le 4 ] || fail "usage: build-image.sh BASE.img SHA256 OUT.img [BOARD.toml]"
base=$1 digest=$2 out=$3 board=${4:-$here/board.toml}
check
trap clean_up EXIT
partition
mount_all
copy_program
settle_in
configure
echo "build-image: $out is ready"
