"""Contract tests of the Android parts: no telephone and no SDK here, so what they lean on is checked instead.

published      Android's own API, version by version, as far as this app uses it
java           a stand-in for Java that checks every call against what is published
phone          a telephone made with it
keys, air      its Keystore, and its Bluetooth as bleak meets it
"""
