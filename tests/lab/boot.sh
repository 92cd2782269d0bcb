# Become PID 1 of a lab host: lay its root, devices and control groups, then run systemd.
# Runs in fresh namespaces. BASE: the cached root; HOST: the host's directory; NAME: its name.
set -eu

mount --make-rprivate /
root=$HOST/root
mount -t overlay -o "lowerdir=$BASE,upperdir=$HOST/upper,workdir=$HOST/work" overlay "$root"
cd "$root"

mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=755 tmpfs run

# The same control group layout as the machine's: v1 controllers by name, v2 beside or alone.
if grep -q '^[1-9]' /proc/self/cgroup; then
    mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
    while IFS=: read -r _ controllers _; do
        directory=sys/fs/cgroup/${controllers#name=}
        [ -n "$controllers" ] || directory=sys/fs/cgroup/unified
        mkdir "$directory"
        if [ -n "$controllers" ]; then
            mount -t cgroup -o "$controllers" cgroup "$directory"
        else
            mount -t cgroup2 cgroup2 "$directory"
        fi
    done </proc/self/cgroup
else
    mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
mount -o remount,bind,ro sys

mount -t tmpfs -o mode=755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mknod -m 600 dev/console c 1 3
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

mkdir -p var/lib/docker
mount --bind "$HOST/docker" var/lib/docker
if [ -e "$HOST/data.img" ]; then
    mkdir -p srv/data dev/disk/by-uuid
    mount -o loop "$HOST/data.img" srv/data
    device=$(findmnt --noheadings --output SOURCE "$root/srv/data")
    number=${device##*loop}
    uuid=$(cat "$HOST/data.uuid")
    mknod -m 660 "dev/loop$number" b 7 "$number"
    echo 0 >"/sys/block/loop$number/queue/rotational"
    # What udev would have written down; there is no udev inside.
    ln -s "../../loop$number" "dev/disk/by-uuid/$uuid"
    mkdir -p run/udev/data
    printf '%s\n' I:1 E:ID_FS_TYPE=ext4 E:ID_FS_USAGE=filesystem "E:ID_FS_UUID=$uuid" \
        "E:ID_FS_UUID_ENC=$uuid" >"run/udev/data/b7:$number"
fi

tar --extract --preserve-permissions --numeric-owner --file "$HOST/seed.tar"
xargs --no-run-if-empty rm -rf <"$HOST/removed"
hostname "$NAME"

mkdir -p .outer
pivot_root . .outer
cd /
exec chroot . /bin/sh -c '
    umount -l /.outer
    rmdir /.outer
    exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
' </dev/null >/dev/null 2>&1
