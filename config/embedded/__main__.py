"""`python -m config.embedded`: keep the embedded services running until interrupted."""

import signal

from config.embedded import layout, leased, needed_services

signal.signal(signal.SIGTERM, signal.default_int_handler)
folders = layout()
try:
    with leased(folders, needed_services()):
        print(f"Running; sockets in {folders.sockets}. Ctrl-C ends.", flush=True)
        signal.pause()
except KeyboardInterrupt:
    pass
