# The first of a chain of MTAs, each of which hands all mail to the next one.
. /common.sh
logging
mta postfix.example.org 'mynetworks=192.0.2.0/24 198.51.100.0/24' 'relayhost=[exim.example.org]'
ready
