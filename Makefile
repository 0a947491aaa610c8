# Each target runs one script, which also runs without make.
.PHONY: help test test-threads fuzz build install manual bench compare chaos faults demo lint format clean

help:
	@echo "make test     check everything: format, warnings, unit and property tests, end-to-end tests"
	@echo "make demo     run five real functions for a minute and a half, and show what happened"
	@echo "make build    build the commands in release mode"
	@echo "make install  install the commands, man pages and completions into PREFIX, which is $(PREFIX)"
	@echo "make manual   write man pages and completions into .build/manual"
	@echo "make bench    run the benchmarks"
	@echo "make compare  put the same load on Kelvin and on another stand-in for AWS, and compare what they tell with the truth"
	@echo "make chaos    run ten minutes of load, kills, changed limits and bad functions, then check all counts"
	@echo "make faults   kill hosts and agents, fail and fill their disks, change bits and clocks, two hours long, then check all counts"
	@echo "make test-threads  run the unit tests under the Thread Sanitizer; with ROOMS='Windows HTTPServer' only theirs"
	@echo "make fuzz     try changed inputs on every parser of what comes from outside; SECONDS=600 for longer than a minute"
	@echo "make lint     check the format; make format corrects it"
	@echo "make clean    remove what was built"

test:
	@scripts/test

test-threads:
	@scripts/test-threads $(ROOMS)

SECONDS = 60

fuzz:
	@scripts/fuzz $(SECONDS)

build:
	@scripts/build

PREFIX = /usr/local

install:
	@scripts/install-packages manual
	@scripts/install "$(PREFIX)"

manual:
	@scripts/install-packages manual
	@scripts/generate-manual .build/manual

bench:
	@scripts/bench

compare:
	@scripts/compare

chaos:
	@scripts/chaos

faults:
	@scripts/faults

demo:
	@scripts/demo

lint:
	@scripts/lint

format:
	@scripts/format

clean:
	rm -rf .build .build-* .venv .venv-compare .kelvin .test-artefacts
