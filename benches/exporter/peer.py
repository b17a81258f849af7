"""PyPI's prometheus-client serving the samples of a text file, for comparison. Prints its address first."""

import sys
from wsgiref.simple_server import make_server

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import make_wsgi_app
from prometheus_client.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8") as file:
    families = list(text_string_to_metric_families(file.read()))


class Samples:
    def collect(self):
        return families


registry = CollectorRegistry()
registry.register(Samples())
server = make_server("127.0.0.1", 0, make_wsgi_app(registry))
server.RequestHandlerClass.log_message = lambda *_: None
print(f"127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
