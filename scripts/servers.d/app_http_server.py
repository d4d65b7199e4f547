"""The standard library's server that makes a thread for each request."""
import http.server
import json
import sys

import ledger
import planted

ledger.measure("http.server:BaseHTTPRequestHandler.parse_request", "http.server:BaseHTTPRequestHandler.send_response")


class Handler(http.server.BaseHTTPRequestHandler):

    @ledger.measured
    def do_GET(self):
        planted.price_list(12000)
        body = json.dumps({"signed": planted.sign(400), "discount": planted.discount(3000)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
