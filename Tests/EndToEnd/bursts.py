"""Many requests at the same moment."""
import asyncio
import resource
import threading


def at_once(count, call):
    """Calls `call(i)` in as many threads at the same moment; the results in order. An exception is a result."""
    results = [None] * count
    barrier = threading.Barrier(count)

    def run(index):
        barrier.wait()
        try:
            results[index] = call(index)
        except Exception as error:  # pylint: disable=broad-except
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a request has hung for 120 s"
    return results


def storm(address, path, body, count, seconds):
    """Opens as many connections, then sends the same POST on all of them; the answers in the order of their arrival.

    Each is (seconds after the first was sent, status, headers in lower case, body).
    """
    host, port = address.split(":")
    # The client's own files; the host under test keeps the limit that it was started with.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(2 * count, hard), hard))
    message = (
        f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body)

    async def main():
        limit = asyncio.Semaphore(100)

        async def connect():
            async with limit:
                return await asyncio.open_connection(host, int(port))

        connections = await asyncio.gather(*(connect() for _ in range(count)))
        start = asyncio.get_running_loop().time()
        answers = []

        async def ask(reader, writer):
            writer.write(message)
            await writer.drain()
            head, _, content = (await reader.read()).partition(b"\r\n\r\n")
            status, *fields = head.decode().split("\r\n")
            headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
            answers.append((asyncio.get_running_loop().time() - start, int(status.split()[1]), headers, content))
            writer.close()

        await asyncio.wait_for(asyncio.gather(*(ask(*connection) for connection in connections)), seconds)
        return answers

    return asyncio.run(main())
