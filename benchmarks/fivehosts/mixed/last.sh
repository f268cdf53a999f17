# Postfix again: the last one sends to the world.
. /common.sh
logging
mta last.example.org
ready
