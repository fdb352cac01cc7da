"""A shop's stock, with five mistakes: its port is fixed, its logs go to a file,
a key is in its source, SIGTERM is not handled, and its orders are kept in
a file beside it."""
import json
import logging
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

AWS_KEY = "@KEY@"
logging.basicConfig(filename="stock.log", level=logging.INFO)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.2)
        with open("orders.json", "a") as f:
            f.write(json.dumps({"path": self.path}) + "\n")
        logging.info("asked for %s", self.path)
        body = b"12 left\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", @PORT@), Handler).serve_forever()
