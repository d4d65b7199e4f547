# What scripts/bookworm-root and its inner half, in_bookworm, do to make a root. Source after common.sh.
# shellcheck shell=bash

# remove_leftovers DIR: the runs whose script was killed; a run that lives holds its lock.
remove_leftovers() {
  local old
  for old in "$1"/run.*; do
    [[ -d $old ]] || continue
    if [[ ! -e $old/lock ]] || flock --nonblock "$old/lock" true; then rm -rf --one-file-system "$old"; fi
  done
}

# apt_sources: the lines by which this machine's apt gets bookworm, its updates and its security fixes.
apt_sources() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 ~ /^bookworm(-updates|-security)?$/ { print "deb", $1, $2, $3 }' | sort -u
}

# apt_network_settings: how this machine's apt fetches: proxies, timeouts, checks.
apt_network_settings() {
  apt-config dump | grep -E '^Acquire::(https?|Check|Retries|Force|Allow|ForceIPv)' | grep -v ' "";$' || true
}

# pip_settings: this machine's pip configuration as one file; local directories stay behind.
pip_settings() {
  printf '[global]\n'
  python3 -m pip config list 2>/dev/null |
    sed -nE "s/^(global|install|:env:)\.([a-z-]+)='(.*)'$/\2 = \3/p" |
    grep -vE '^(find-links|cert|cache-dir|config-file|client-cert) ' | sort -u -t= -k1,1 || true
}

# certificates: the authorities that this machine trusts, as one file, if any.
certificates() {
  local bundle=${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
  if [[ -f $bundle ]]; then printf '%s\n' "$bundle"; fi
}

# make_base DIR: the bare system.
make_base() {
  local base=$1 mirror proxy
  mirror=$(apt_sources | awk '$3 == "bookworm" { print $2; exit }')
  [[ -n $mirror ]] || fail "apt on this machine has no mirror of bookworm" "add one to /etc/apt/sources.list"
  proxy=$(apt-config dump --format '%v' Acquire::http::Proxy 2>/dev/null || true)
  say "making a bare bookworm in $base"
  rm -rf --one-file-system "$base"
  mkdir -p "$base"
  env ${proxy:+http_proxy="$proxy"} debootstrap --variant=minbase --include=git bookworm "$base" "$mirror" >&2 ||
    fail "debootstrap failed" "see $base/debootstrap/debootstrap.log"
  rm -rf "$base"/var/cache/apt/archives/*.deb
  touch "$base/.complete"
}

# settle_network ROOT: lets the root fetch packages the way that this machine does.
settle_network() {
  local root=$1 bundle
  apt_sources >"$root/etc/apt/sources.list"
  apt_network_settings >"$root/etc/apt/apt.conf.d/90host"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
  pip_settings >"$root/etc/pip.conf"
  bundle=$(certificates)
  if [[ -n $bundle ]]; then
    cp -L "$bundle" "$root/etc/host-certificates.crt"
    printf 'cert = /etc/host-certificates.crt\n' >>"$root/etc/pip.conf"
    printf 'Acquire::https::CAInfo "/etc/host-certificates.crt";\n' >>"$root/etc/apt/apt.conf.d/90host"
  fi
}

# mount_root BASE RUN: RUN/root becomes BASE with all changes kept apart, or a copy where there is no overlayfs.
mount_root() {
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/changes,workdir=$2/scratch" "$2/root" 2>/dev/null ||
    cp -a "$1/." "$2/root"/
  rm -f "$2/root"/.complete
}

# mount_kernel ROOT: /proc, /sys and /dev, those of this namespace.
mount_kernel() {
  mount -t proc proc "$1/proc"
  mount -t sysfs -o ro sysfs "$1/sys"
  mount --rbind /dev "$1/dev"
}
