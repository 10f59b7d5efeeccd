# shellcheck shell=bash disable=SC2034,SC2154 # the parts of vm share its variables
# SPDX-License-Identifier: GPL-2.0-or-later
# kernel.sh - Debian's cloud kernels by series ("6.12", "6.1"), with modules, headers and debug information.
#
# A kernel is a folder $cache/kernels/VERSION with what the package holds (boot/, lib/modules/), unpacked
# beside it and renamed into place, so that a run never sees half of one. Nothing is installed on this
# machine. The file $cache/kernels/SERIES.newest remembers for a day which version is the newest.

kernels=$cache/kernels

# newest_version SERIES: the version apt offers, e.g. "6.12.117+deb12-cloud-amd64".
newest_version() {
	local series=$1
	apt-cache pkgnames "linux-image-$series." |
		sed -n -E "s/^linux-image-(${series//./\\.}\.[0-9].*-cloud-amd64)\$/\1/p" | sort -V | tail -n 1
}

# kernel_version SERIES: the version to use; asks apt at most once a day.
kernel_version() {
	local series=$1 stamp=$kernels/$1.newest version
	if [ -n "$(find "$stamp" -mmin -1440 2>/dev/null)" ] && [ -d "$kernels/$(cat "$stamp")" ]; then
		cat "$stamp"
		return
	fi
	version=$(newest_version "$series")
	if [ -z "$version" ]; then
		[ ! -s "$stamp" ] || { cat "$stamp"; return; }
		apt_knows linux-image-amd64
		version=$(newest_version "$series")
	fi
	[ -n "$version" ] || die 20 "apt offers no cloud kernel $series: give the path of a vmlinuz instead"
	echo "$version"
}

# unpack_once DIR FUNCTION ARGS...: FUNCTION fills a new folder, which becomes DIR when it is complete.
unpack_once() {
	local dir=$1 tmp
	shift
	[ ! -d "$dir" ] || return 0
	mkdir -p "$(dirname "$dir")"
	tmp=$(mktemp -d "$dir.XXXXXX") || die 20 "cannot write to $(dirname "$dir")"
	"$@" "$tmp" || { rm -rf "$tmp"; die 20 "cannot prepare $dir"; }
	chmod 755 "$tmp"
	mv -T "$tmp" "$dir"
}

fill_kernel() {
	local version=$1 dir=$2
	fetch_package "linux-image-$version" "$dir"
	index_modules "$dir" "$version"
}

# index_modules ROOT VERSION: modules.dep and the rest, which Debian makes at installation time.
index_modules() {
	PATH=$PATH:/usr/sbin:/sbin
	need depmod kmod
	depmod -b "$1" "$2"
}

# kernel_dir SERIES: prints the folder of the newest kernel, fetched if need be.
kernel_dir() {
	mkdir -p "$kernels"
	with_lock "kernel-$1" kernel_dir_locked "$1"
}

kernel_dir_locked() {
	local series=$1 version
	version=$(kernel_version "$series") || exit
	unpack_once "$kernels/$version" fill_kernel "$version" || exit
	echo "$version" >"$kernels/$series.newest"
	echo "$kernels/$version"
}

kernel_image() {
	local dir
	dir=$(kernel_dir "$1") || exit
	echo "$dir/boot/vmlinuz-${dir##*/}"
}

# kernel_headers SERIES: a folder for `make -C`, with Debian's headers and kbuild, moved to where we unpacked.
kernel_headers() {
	local dir version
	dir=$(kernel_dir "$1") || exit
	version=${dir##*/}
	with_lock "headers-$1" unpack_once "$kernels/headers/$version" fill_headers "$version" || exit
	echo "$kernels/headers/$version/usr/src/linux-headers-$version"
}

fill_headers() {
	local version=$1 dir=$2 base=${1%-cloud-amd64} kbuild
	fetch_package "linux-headers-$version" "$dir"
	fetch_package "linux-headers-$base-common" "$dir"
	kbuild=$(apt-cache depends "linux-headers-$version" | sed -n 's/.*Depends: \(linux-kbuild-.*\)/\1/p')
	fetch_package "$kbuild" "$dir"
	# The two makefiles name /usr/src; the rest are relative links.
	sed -i "s| /usr/src/| $kernels/headers/$version/usr/src/|" "$dir/usr/src/linux-headers-$version/Makefile"
}

# kernel_debug SERIES: vmlinux with DWARF (a big package: about 1 GB unpacked; only vmlinux is kept).
kernel_debug() {
	local dir version
	dir=$(kernel_dir "$1") || exit
	version=${dir##*/}
	with_lock "debug-$1" unpack_once "$kernels/debug/$version" fill_debug "$version" || exit
	echo "$kernels/debug/$version/vmlinux"
}

fill_debug() {
	local version=$1 dir=$2
	fetch_package "linux-image-$version-dbg" "$dir"
	mv "$dir/usr/lib/debug/boot/vmlinux-$version" "$dir/vmlinux" && rm -rf "${dir:?}/usr"
}

# image_version VMLINUZ: the release that an x86 bzImage carries in its boot header.
image_version() {
	local image=$1 offset
	[ "$(dd if="$image" bs=1 skip=514 count=4 2>/dev/null)" = HdrS ] ||
		die 20 "$image is not an x86 bzImage (give arch/x86/boot/bzImage or a /boot/vmlinuz-*)"
	offset=$(od -An -tu2 -j526 -N2 "$image")
	dd if="$image" bs=1 skip=$((offset + 512)) count=128 2>/dev/null | tr '\0' '\n' | sed -n '1s/ .*//p'
}

# module_tree DIR VERSION: the folder with modules.dep in DIR: itself, DIR/VERSION or DIR/lib/modules/VERSION.
module_tree() {
	local dir
	for dir in "$1" "$1/$2" "$1/lib/modules/$2"; do
		if [ -f "$dir/modules.dep" ]; then
			realpath "$dir"
			return
		fi
	done
	die 20 "no modules.dep in $1, $1/$2 or $1/lib/modules/$2: run \`make modules_install INSTALL_MOD_PATH=$1\`"
}
