#!/bin/bash
# Finds links in the documents to files of this repository that are not there. Usage: links.sh FILE…
set -euo pipefail
status=0
for page in "$@"; do
  while IFS= read -r link; do
    if [ ! -e "$(dirname "$page")/${link%%#*}" ]; then
      echo "   $page: no such file: '$link'"
      status=1
    fi
  done < <(grep -oE '\]\([^)#][^)]*\)' "$page" | sed -E 's/^\]\((.*)\)$/\1/' | grep -vE '^[a-z]+:' || true)
done
exit $status
