"""A FastAPI application behind Mangum, as people deploy it to AWS."""
import os

from aws_xray_sdk.core.models.trace_header import TraceHeader
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from mangum import Mangum

app = FastAPI()


@app.get("/items/")
def items(request: Request, q: str = "", tag: str = ""):
    return {"q": q, "tag": tag, "url": str(request.url), "client": request.client.host}


@app.get("/login")
def login():
    return RedirectResponse("/items/", status_code=303)


@app.get("/who")
def who(request: Request):
    return {"url": str(request.url_for("items")), "scheme": request.url.scheme, "cookies": request.cookies}


@app.get("/cookies")
def set_cookies():
    response = JSONResponse({"ok": True})
    response.set_cookie("a", "1")
    response.set_cookie("b", "zwei", httponly=True)
    return response


@app.post("/bytes")
async def echo_bytes(request: Request):
    body = await request.body()
    return Response(body, media_type=request.headers["content-type"])


@app.post("/json")
async def echo_json(request: Request):
    return await request.json()


@app.get("/path/{name:path}")
def path(name: str):
    return {"name": name}


@app.get("/trace")
def trace():
    header = TraceHeader.from_header_str(os.environ["_X_AMZN_TRACE_ID"])
    return {"root": header.root, "parent": header.parent, "sampled": header.sampled, "data": header.data}


@app.delete("/nothing", status_code=204)
def nothing():
    return None


handler = Mangum(app, lifespan="off")
