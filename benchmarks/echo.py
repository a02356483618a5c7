"""What an EHR's call is compared with: JSON read and sent back, by the same server."""

from flask import Flask, jsonify, request

app = Flask("echo")


@app.post("/echo")
def echo():
    """The body again."""
    return jsonify(request.get_json())
