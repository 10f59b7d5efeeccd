#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Dumps sent over the network: to an nfs server and by ssh. The servers run here, unprivileged ports on loopback; the
# guest reaches them through QEMU's user network. Needs nfs-ganesha-vfs and openssh-server, and root: nfs-ganesha opens
# files by handle.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
PATH=$PATH:/usr/sbin:/sbin

scratch=$(mktemp -d)
servers=()
trap 'for pid in "${servers[@]}"; do kill -KILL "$pid"; done 2>/dev/null; rm -rf "$scratch"' EXIT
network=(--disk 0 --module virtio_net --qemu-args "-netdev user,id=n0 -device virtio-net-pci,netdev=n0")
up='ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.2; sleep 1'
crash='sync; echo c >/proc/sysrq-trigger; sleep 60'

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

need() {
	command -v "$1" >/dev/null || { echo "Bail out! $1 is not installed: contrib/deps soak"; exit 1; }
}

console() {
	tr -d '\r' <"$dir/console.log" | grep -E -- "$1" || { grep deadfall: "$dir/console.log"; cat "$dir/command.log"; return 1; }
}

wait_port() {
	for _ in $(seq 50); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		sleep 0.2
	done
	return 1
}

test_nfs() {
	local port dump
	port=$(free_port)
	mkdir -p "$scratch/export" "$scratch/state"
	cat >"$scratch/ganesha.conf" <<-END
		NFS_CORE_PARAM { Protocols = 4; NFS_Port = $port; Bind_addr = 127.0.0.1; Enable_NLM = false; Enable_RQUOTA = false; }
		NFSv4 { Graceless = true; RecoveryRoot = $scratch/state; Only_Numeric_Owners = true; }
		EXPORT { Export_Id = 1; Path = $scratch/export; Pseudo = /dumps; Access_Type = RW; Squash = No_Root_Squash;
			SecType = sys; Protocols = 4; Transports = TCP; FSAL { Name = VFS; } }
	END
	ganesha.nfsd -F -f "$scratch/ganesha.conf" -L "$scratch/ganesha.log" -p "$scratch/ganesha.pid" >/dev/null 2>&1 &
	servers+=($!)
	wait_port "$port"
	run_vm nfs "${network[@]}" --module nfsv4 -- "$up; mkdir -p /mnt/nfs
		mount -t nfs4 -o addr=10.0.2.2,clientaddr=10.0.2.15,vers=4.2,port=$port 10.0.2.2:/dumps /mnt/nfs && mkdir /mnt/nfs/crash
		deadfall kdump setup --target /mnt/nfs/crash && deadfall kdump doctor && $crash"
	check "nfs: the capture is complete" console "deadfall: complete: .*-none"
	dump=$(find "$scratch/export" -name vmcore)
	check "nfs: the vmcore is on the server and opens" makedumpfile --dump-dmesg "$dump" "$scratch/nfs.txt"
	check "nfs: status.json says complete" jq -e '.result == "complete"' "${dump%/*}/status.json"
}

test_ssh() {
	local port dump
	port=$(free_port)
	mkdir -p /run/sshd 2>/dev/null
	ssh-keygen -q -t ed25519 -N '' -f "$scratch/host"
	ssh-keygen -q -t ed25519 -N '' -f "$scratch/id_ed25519"
	cat >"$scratch/sshd_config" <<-END
		ListenAddress 127.0.0.1:$port
		HostKey $scratch/host
		AuthorizedKeysFile $scratch/id_ed25519.pub
		StrictModes no
		PidFile none
		UsePAM no
	END
	"$(command -v sshd)" -D -f "$scratch/sshd_config" -E "$scratch/sshd.log" &
	servers+=($!)
	wait_port "$port"
	echo "[10.0.2.2]:$port $(cut -d' ' -f1,2 "$scratch/host.pub")" >"$scratch/known_hosts"
	run_vm ssh "${network[@]}" --with ssh --copy "$scratch/id_ed25519:/root/.ssh/id_ed25519" \
		--copy "$scratch/known_hosts:/root/.ssh/known_hosts" -- "$up; chmod 600 /root/.ssh/*
		deadfall kdump setup --target ssh://$(id -un)@10.0.2.2:$port$scratch/dumps && deadfall kdump doctor && $crash"
	check "ssh: the capture is complete" console "deadfall: complete: .*-none"
	dump=$(find "$scratch/dumps" -name vmcore.flat)
	makedumpfile -R "$scratch/vmcore" <"$dump" >/dev/null 2>&1
	check "ssh: the vmcore is on the server and opens" makedumpfile --dump-dmesg "$scratch/vmcore" "$scratch/ssh.txt"
	check "ssh: so is the capsule" test -s "${dump%/*}/capsule"
	check "ssh: the report reads the capsule" "$build/deadfall" report "${dump%/*}/capsule" -o /dev/null
	check "ssh: status.json says complete" jq -e '.result == "complete"' "${dump%/*}/status.json"
}

need ganesha.nfsd
need sshd
[ "$(id -u)" = 0 ] || { echo 'Bail out! nfs-ganesha needs root'; exit 1; }
test_nfs
test_ssh
echo "1..$tests"
