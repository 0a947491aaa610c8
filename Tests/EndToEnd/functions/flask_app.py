"""A Flask application behind apig-wsgi, as people deploy it to AWS."""
from apig_wsgi import make_lambda_handler
from flask import Flask, Response, jsonify, redirect, request, url_for

app = Flask(__name__)


@app.get("/items/")
def items():
    return jsonify(q=request.args.get("q", ""), tags=request.args.getlist("tag"), url=request.url)


@app.get("/login")
def login():
    return redirect(url_for("items", _external=True))


@app.get("/cookies")
def cookies():
    response = jsonify(sent=request.cookies)
    response.set_cookie("a", "1")
    response.set_cookie("b", "zwei", httponly=True)
    return response


@app.post("/bytes")
def echo_bytes():
    return Response(request.get_data(), content_type=request.content_type)


@app.post("/json")
def echo_json():
    return jsonify(request.get_json())


@app.get("/path/<path:name>")
def path(name):
    return jsonify(name=name)


@app.get("/status/<int:status>")
def status(status):
    return ("", status)


handler = make_lambda_handler(app, binary_support=True)
