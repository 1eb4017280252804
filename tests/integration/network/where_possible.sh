#!/bin/sh
# Runs the cases of one kind of link where this kernel can make it; exits with 77, which CTest counts
# as skipped, where it cannot.
#
#   where_possible.sh PROGRAM dummy|vlan|lacks      lacks: where it can make not both
has_dummy() { ip link add try0 type dummy 2>/dev/null && ip link delete try0; }
has_vlan() { ip link add link lo name try0 type vlan id 1 2>/dev/null && ip link delete try0; }

case $2 in
  dummy) has_dummy ;;
  vlan) has_vlan ;;
  lacks) ! has_dummy || ! has_vlan ;;
esac || {
  echo "skipped: not with this kernel"
  exit 77
}
exec "$1" "[$2]"
