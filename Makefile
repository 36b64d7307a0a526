# An internet hospital on one machine. Needs Python 3.11 or later and make, nothing else.
#
#   make run PORT_BASE=9000 DATA=/somewhere SIZE=s DEMO=0    any setting of `standalone` may follow a target
#   make test ARGS="-k refund"                               ARGS go to pytest

PYTHON  ?= python3
VENV    ?= .venv
WORKERS ?= 2
BIN     := $(VENV)/bin
OURS    := backend contracts foundation front_gateway miniapp_mock regulator_adapter simulators standalone tests tools
# A stamp is a copy of the lock that was installed.
RUN     := $(VENV)/installed-run.txt
TEST    := $(VENV)/installed-test.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run verify test bench-booking bench-day bench-eligibility bench-feed bench-gateway bench-journeys bench-review bench-sign bench-video drill drill-feed drill-video check journey code reset doctor docs pictures format lock

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN) ## start everything on this machine; Ctrl-C stops it and loses nothing
	@exec $(BIN)/python -m standalone up

journey: $(if $(HIS),$(TEST),$(RUN)) ## play one whole visit through the front door (HIS=sekmet: against a foreign hospital system, HIS=soap: one that speaks SOAP)
	@exec $(BIN)/python -m standalone journey

code: $(RUN) ## show the present one-time code of a member of staff (WHO=doctor01)
	@exec $(BIN)/python -m standalone code $(WHO)

verify: $(RUN) ## verify a sheet or a file of evidence of this machine's system, without network (FILE=sheet.pdf)
	@exec $(BIN)/python -I backend/sheet/verify_sheet.py --root $${DATA:-.data}/certs/ca/root.pem --root $${DATA:-.data}/certs/ca/sm2-root.pem "$(FILE)"

reset: $(RUN) ## delete the data folder, to start afresh
	@exec $(BIN)/python -m standalone reset

doctor: $(RUN) ## say what this machine lacks
	@exec $(BIN)/python -m standalone doctor

test: $(TEST) ## run every test, browser tests included (SERVERS=--all: fails where nats-server or softhsm2 is missing)
	@$(BIN)/python -m tools.servers $(SERVERS)
	@chromium="$$($(BIN)/python -m tools.chromium)" && export CHROMIUM="$$chromium" && \
		exec $(BIN)/python -m tools.test_run -n $(WORKERS) --dist worksteal $(ARGS)

bench-booking: $(TEST) ## bookings by HTTP beside pgbench writing the same rows, and the rush (ARGS="--processes 2")
	@exec $(BIN)/python -m tests.load.bench_booking $(ARGS)

bench-day: $(TEST) ## one day of a city, 100,000 bookings, replayed as fast as the machine allows
	@exec $(BIN)/python -m tests.load.bench_day $(ARGS)

bench-eligibility: $(TEST) ## 200 eligibility questions a second through the gateway, a million residents behind it (ARGS="--size l")
	@exec $(BIN)/python -m tests.load.bench_eligibility $(ARGS)

bench-feed: $(TEST) ## events from the outbox to the platform's receipt beside bare posts of the same bodies, and the lag (ARGS="--events 10000")
	@exec $(BIN)/python -m tests.load.bench_feed $(ARGS)

bench-gateway: $(TEST) ## calls through a gateway beside one nginx worker, mTLS on both sides (ARGS="--rounds 5 --seconds 3"; needs Debian's nginx)
	@exec $(BIN)/python -m tests.load.bench_gateway $(ARGS)

bench-journeys: $(TEST) ## whole visits per minute, everything on but video, and the idle system's memory
	@exec $(BIN)/python -m tests.load.bench_journeys $(ARGS)

bench-review: $(TEST) ## prescriptions of five drugs against every review rule, and how long the rules take to load
	@exec $(BIN)/python -m tests.load.bench_review $(ARGS)

bench-video: $(TEST) ## recorded video rooms beside Janus under the same load, CPU-seconds per room-second (ARGS="--rooms 8")
	@exec $(BIN)/python -m tests.load.bench_video $(ARGS)

bench-sign: $(TEST) ## signatures per second of each provider beside openssl speed (ARGS="--seconds 10")
	@exec $(BIN)/python -m tests.load.bench_sign $(ARGS)

drill: drill-video drill-feed ## everything that is too long for every day

drill-feed: $(TEST) ## a million events while processes, connections and the platform are killed, paused and disturbed (ARGS="--events 20000 --seed 7")
	@exec $(BIN)/python -m tests.drill.drill_feed $(ARGS)

drill-video: $(TEST) ## lost packets, long outages, twenty rooms for five minutes (DRILL_SECONDS=60 shortens it)
	@chromium="$$($(BIN)/python -m tools.chromium)" && export CHROMIUM="$$chromium" && \
		exec $(BIN)/python -m pytest -s tests/drill/video_networks.py tests/drill/video_rooms.py $(ARGS)

check: $(TEST) ## ruff, mypy --strict, import rules, house rules
	@$(BIN)/python -m tools.check $(OURS)

docs: $(TEST) ## write the documents that are generated from the code
	@$(BIN)/python -m tools.generate_docs

pictures: $(TEST) ## play a visit in a browser and renew the pictures of both READMEs
	@chromium="$$($(BIN)/python -m tools.chromium)" && export CHROMIUM="$$chromium" && \
		exec $(BIN)/python -m tests.pictures

format: $(TEST) ## format the code
	@$(BIN)/ruff check --quiet --fix-only $(OURS); $(BIN)/ruff format $(OURS)

lock: ## renew locks/ from pyproject.toml (UPGRADE=1 takes newer versions)
	@$(PYTHON) tools/lock.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/installed-%.txt: locks/%.txt | $(BIN)/python
	@cmp -s $< $@ || { echo "installing $$(grep -c == $<) packages named in $< (about half a minute once they are downloaded)"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<; }
	@cp $< $@
