#!/bin/sh
# Installs what the peers are built with, where that is allowed; else says what is left out.
packages='g++ libzxing-dev libzxingcore-dev libzbar-dev nodejs npm'
missing=
for p in $packages; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
# Node may come from elsewhere than Debian.
command -v node >/dev/null && command -v npm >/dev/null && missing=$(printf '%s ' $missing | sed 's/nodejs //; s/npm //')
[ -n "$(printf %s "$missing" | tr -d ' ')" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "installing $missing"
	apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing >/dev/null
else
	echo "not installed: $missing: peers that need them are left out (apt-get install $missing)"
fi
