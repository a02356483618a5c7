"""What a checklist is compared with: a request kept by one INSERT and COMMIT, and nothing else."""

import os
import uuid
from functools import cache

import psycopg
from flask import Flask, jsonify, request

app = Flask("bare")


@cache
def connection():
    """The one connection of this worker; each statement is a transaction that ends on disk."""
    return psycopg.connect(os.environ["BARE_URL"], autocommit=True)


@app.post("/bare")
def keep():
    """Keep the body."""
    id = str(uuid.uuid4())
    connection().execute("INSERT INTO bare VALUES (%s, %s)", (id, request.get_data()))
    return jsonify(id=id), 201
