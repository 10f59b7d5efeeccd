# shellcheck shell=bash disable=SC2034,SC2154 # the parts of vm share its variables
# SPDX-License-Identifier: GPL-2.0-or-later
# initramfs.sh - the guest's whole file system: three cpio archives, one after the other, uncompressed (the
# guest's CPU is slow, the host's disk is not).
#
#   tools    busybox, kexec, makedumpfile, deadfall, their libraries, guest/init   cached by what it holds
#   kernel   vmlinuz, the modules asked for with their dependencies                cached by version and names
#   overlay  rules, copied files, own modules, the command                         made for each run
#
# The layout in the guest is that of Debian: /bin, /sbin, /lib, /lib64 are links into /usr. An archive may
# not hold an entry "lib" of its own, it would replace the link: guest_path() maps every path under usr/.

# Busybox's own shell runs its applets before any program of the same name, so the guest's sh is dash.
tool_binaries=(dash kexec makedumpfile)
base_modules=(virtio_pci virtio_blk ext4 loop dm_mod dm_flakey dm_delay dm_snapshot)

# guest_path PATH: where a host file lies in the guest, without the leading slash.
guest_path() {
	local path=${1#/}
	case $path in
	bin/* | sbin/* | lib/* | lib64/* | lib32/*) path=usr/$path ;;
	esac
	echo "$path"
}

# put FILE ROOT PATH: a copy of FILE (links followed) as PATH under ROOT.
put() {
	mkdir -p "$2/$(dirname "$3")"
	cp -rL --preserve=mode,timestamps "$1" "$2/$3" || die 20 "cannot copy $1"
}

# put_libraries ROOT FILE...: the shared libraries that the FILEs need (none for static programs).
put_libraries() {
	local root=$1 libs lib missing
	shift
	libs=$(ldd "$@" 2>/dev/null)
	missing=$(sed -n 's/^[[:space:]]*\(.*\) => not found.*/\1/p' <<<"$libs" | sort -u)
	[ -z "$missing" ] || die 20 "not found here, but needed by $*: ${missing//$'\n'/, } (LD_LIBRARY_PATH tells where it is)"
	sed -n -E 's/^[^/]*=> (\/[^ ]*).*/\1/p; s/^\t(\/[^ ]*) \(.*/\1/p' <<<"$libs" | sort -u |
		while read -r lib; do
			put "$lib" "$root" "$(guest_path "$lib")"
		done
}

is_elf() {
	[ "$(head -c 4 "$1" 2>/dev/null | tr -d '\0')" = $'\x7fELF' ]
}

archive() {
	(cd "$1" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --reproducible --quiet) >"$2" || die 20 "cpio failed on $1"
}

# cached_layer FILE FUNCTION ARGS...: FUNCTION fills a folder that becomes the archive FILE.
cached_layer() {
	local file=$1 tmp
	shift
	[ ! -f "$file" ] || { touch "$file"; return; }
	mkdir -p "$(dirname "$file")"
	tmp=$(mktemp -d "$cache/layer.XXXXXX") || die 20 "cannot write to $cache"
	detail "making $(basename "$file")"
	"$@" "$tmp"
	chmod 755 "$tmp"
	archive "$tmp" "$tmp.cpio"
	mv "$tmp.cpio" "$file"
	rm -rf "$tmp"
	forget_old "$(dirname "$file")"
}

# forget_old DIR: a rebuilt deadfall makes a new layer each time; keep the dozen used last.
forget_old() {
	find "$1" -name '*.cpio' -printf '%T@ %p\n' | sort -rn | sed -n '13,$s/^[^ ]* //p' |
		while read -r file; do rm -f "$file"; done
}

# --- tools ---

deadfall_files() {
	find "$build" -maxdepth 1 -type f \( -name 'deadfall*' -o -name '*.bpf.o' \) ! -name '*.so' 2>/dev/null | sort
}

tools_layer() {
	local busybox files key
	PATH=$PATH:/usr/sbin:/sbin
	need busybox busybox-static
	need dash dash
	need kexec kexec-tools
	need makedumpfile makedumpfile
	need cpio cpio
	busybox=$(type -P busybox)
	ldd "$busybox" >/dev/null 2>&1 && die 20 "$busybox is not static: apt-get install busybox-static"
	mapfile -t files < <(deadfall_files)
	key=$({
		cat "$here/initramfs.sh" "$here/guest/init"
		stat -Lc '%n %s %Y' /var/lib/dpkg/status "$busybox" "${files[@]}"
	} | sha256sum | cut -c1-16)
	cached_layer "$cache/layers/tools-$key.cpio" fill_tools "$busybox" "${files[@]}"
	layer=$cache/layers/tools-$key.cpio
}

fill_tools() {
	local busybox=$1 root=${!#} tool tools applet files=("${@:2:$#-2}")
	mkdir -p "$root"/{dev,proc,sys,tmp,run,mnt,root,etc,boot,var/crash,var/tmp} \
		"$root"/usr/{bin,sbin,lib,lib64,local/bin,lib/deadfall}
	for tool in bin sbin lib lib64; do ln -s "usr/$tool" "$root/$tool"; done
	put "$busybox" "$root" usr/bin/busybox
	ln -s dash "$root/usr/bin/sh"
	for applet in $("$busybox" --list-full); do
		applet=$root/$(guest_path "$applet")
		[ -e "$applet" ] || [ -L "$applet" ] || { mkdir -p "$(dirname "$applet")"; ln -s /usr/bin/busybox "$applet"; }
	done
	for tool in "${tool_binaries[@]}"; do
		tool=$(type -P "$tool")
		put "$tool" "$root" "$(guest_path "$tool")"
	done
	mapfile -t tools < <(type -P "${tool_binaries[@]}")
	put_libraries "$root" "${tools[@]}"
	put_deadfall "$root" "${files[@]}"
	put "$here/guest/init" "$root" init
	chmod 755 "$root/init"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
}

# What lies beside build/deadfall lies beside it in the guest.
put_deadfall() {
	local root=$1 file
	shift
	for file; do
		put "$file" "$root" "usr/lib/deadfall/${file##*/}"
		[ ! -x "$file" ] || put_libraries "$root" "$file"
	done
	[ ! -f "$build/deadfall" ] || ln -s ../lib/deadfall/deadfall "$root/usr/bin/deadfall"
}

# --- kernel ---

# kernel_layer VERSION IMAGE TREE MODULE...: TREE may be empty (a kernel with everything built in).
kernel_layer() {
	local version=$1 image=$2 tree=$3 key
	shift 3
	key=$({
		cat "$here/initramfs.sh"
		printf '%s\n' "$version" "$@"
		stat -Lc '%n %s %Y' "$image" ${tree:+"$tree/modules.dep"}
	} | sha256sum | cut -c1-16)
	cached_layer "$cache/layers/kernel-$key.cpio" fill_kernel_layer "$version" "$image" "$tree" "$@"
	layer=$cache/layers/kernel-$key.cpio
}

fill_kernel_layer() {
	local version=$1 image=$2 tree=$3 root=${!#} names=("${@:4:$#-4}") config
	put "$image" "$root" "boot/vmlinuz-$version"
	config=$(dirname "$image")/config-$version
	[ ! -f "$config" ] || put "$config" "$root" "boot/config-$version"
	mkdir -p "$root/usr/lib/modules/$version"
	[ -z "$tree" ] || put_modules "$tree" "$root/usr/lib/modules/$version" "${names[@]}"
}

# module_line TREE NAME: prints the module's line of modules.dep ("path.ko.xz: dependencies"); 1 if there is none.
module_line() {
	awk -v want="${2//-/_}" '
		{ name = $1; sub(/:$/, "", name); sub(/.*\//, "", name); sub(/\.ko.*/, "", name); gsub(/-/, "_", name) }
		name == want { print; found = 1; exit }
		END { exit !found }' "$1/modules.dep"
}

# is_builtin TREE NAME
is_builtin() {
	sed 's/.*\///; s/\.ko.*//; s/-/_/g' "$1/modules.builtin" 2>/dev/null | grep -qx "${2//-/_}"
}

# put_modules TREE DEST NAME...: unpacked copies and an index that names only them. A kernel may have a base
# module built in, or not at all.
put_modules() {
	local tree=$1 dest=$2 name line
	shift 2
	for name; do
		line=$(module_line "$tree" "$name") || continue
		put_module_line "$tree" "$dest" "$line"
	done
	[ ! -f "$dest/modules.dep" ] || sort -u -o "$dest/modules.dep" "$dest/modules.dep"
	cp "$tree/modules.builtin" "$dest/" 2>/dev/null
	index_alias "$tree" "$dest"
}

# put_module_line TREE DEST LINE: the module of a line of modules.dep, then those it depends on.
put_module_line() {
	local tree=$1 dest=$2 line=$3 file bare dep
	file=${line%%:*}
	bare=${file%.ko*}.ko
	[ ! -f "$dest/$bare" ] || return 0
	mkdir -p "$dest/$(dirname "$bare")"
	unpack "$tree/$file" "$dest/$bare"
	sed -E 's/\.ko\.[a-z0-9]+/.ko/g' <<<"$line" >>"$dest/modules.dep"
	for dep in ${line#*:}; do
		dep=${dep##*/}
		put_module_line "$tree" "$dest" "$(module_line "$tree" "${dep%.ko*}")"
	done
}

unpack() {
	case $1 in
	*.xz) xz -dc "$1" >"$2" ;;
	*.zst) zstd -qdc "$1" >"$2" ;;
	*.gz) gzip -dc "$1" >"$2" ;;
	*) cp "$1" "$2" ;;
	esac || die 20 "cannot unpack $1"
}

# index_alias TREE DEST: the aliases and device nodes of the modules that are there, so that the kernel can
# ask for them itself (mount -t ext4, /dev/loop-control).
index_alias() {
	local file
	for file in modules.alias modules.devname; do
		[ -f "$1/$file" ] || continue
		awk -v column="$([ $file = modules.alias ] && echo 3 || echo 1)" '
			NR == FNR { sub(/:.*/, ""); sub(/.*\//, ""); sub(/\.ko$/, ""); gsub(/-/, "_"); have[$0]; next }
			{ name = $column; gsub(/-/, "_", name) } name in have' \
			"$2/modules.dep" "$1/$file" >"$2/$file" 2>/dev/null
	done
}

# --- overlay ---

# put_user_file SPEC ROOT: --copy FILE[:PATH]; programs bring their libraries.
put_user_file() {
	local spec=$1 root=$2 file=$1 dest
	if [ ! -e "$file" ]; then
		file=${spec%:*} dest=${spec##*:}
	fi
	[ -e "$file" ] || die 20 "--copy $spec: no such file"
	dest=${dest:-/root/$(basename "$file")}
	put "$file" "$root" "$(guest_path "$dest")"
	if [ -f "$file" ] && [ -x "$file" ] && is_elf "$file"; then put_libraries "$root" "$file"; fi
}

# put_program SPEC ROOT: --with [PACKAGE:]BINARY, from this machine, else from Debian's package.
put_program() {
	local spec=$1 root=$2 name=${1##*:} file
	PATH=$PATH:/usr/sbin:/sbin
	file=$(type -P "$name")
	if [ -n "$file" ]; then
		put "$file" "$root" "$(guest_path "$file")"
		put_libraries "$root" "$file"
	else
		put_packaged_program "${spec%%:*}" "$name" "$root"
		file=$layer
	fi
	mkdir -p "$root/usr/local/bin"
	ln -sf "$file" "$root/usr/local/bin/${name##*/}"
}

# put_packaged_program PACKAGE NAME ROOT: the package and what it needs, unpacked in the cache, not installed.
put_packaged_program() {
	local package=$1 name=$2 root=$3 dir=$cache/packages/$1 file
	with_lock "package-$package" unpack_once "$dir" fill_packages "$package" || exit
	file=$(find "$dir" -path "*bin/$name" | head -n 1)
	[ -n "$file" ] || die 20 "--with $name: package $package holds no bin/$name (say --with PACKAGE:BINARY)"
	local -x LD_LIBRARY_PATH
	LD_LIBRARY_PATH=$(find "$dir" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
	layer=/$(guest_path "${file#"$dir"}")
	put "$file" "$root" "${layer#/}"
	put_libraries_from "$dir" "$root" "$file"
}

# put_libraries_from PREFIX ROOT FILE: like put_libraries; PREFIX is cut off the paths of those under it.
put_libraries_from() {
	local prefix=$1 root=$2 staged
	staged=$(mktemp -d "$cache/stage.XXXXXX")
	put_libraries "$staged" "$3"
	if [ -d "$staged$prefix" ]; then
		cp -a "$staged$prefix/." "$staged/merged" && rm -rf "${staged:?}/${prefix#/}"
		mkdir -p "$root/usr/lib"
		for dir in usr/lib lib; do
			[ ! -d "$staged/merged/$dir" ] || cp -a "$staged/merged/$dir/." "$root/usr/lib/"
		done
	fi
	[ ! -d "$staged/usr" ] || cp -a "$staged/usr" "$root/"
	rm -rf "$staged"
}

fill_packages() {
	local package=$1 dir=$2 tmp deb
	apt_knows "$package" || die 20 "--with $package: no such program here and no such Debian package"
	tmp=$(mktemp -d "$cache/fetch.XXXXXX")
	mkdir "$tmp/partial"
	say "fetching $package and the libraries it needs"
	apt_fetch -y --no-install-recommends --download-only -o Dir::Cache::Archives="$tmp/" install "$package" ||
		die 20 "--with $package: cannot be downloaded: is a Debian mirror reachable?"
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -rf "$tmp"
}
