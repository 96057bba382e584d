# make         build the three programs into bin/
# make demo    a region, a gate, a queue of people: nothing to plug in, nothing to install
# make test    everything that must hold; installs what it needs when it may
# make scores  published vectors, passed and failed, a line each
# make arm     static binaries for 64-bit and 32-bit boards
# make bench   what it costs, as a table
# make bench-qr     how well and how fast codes are read; bench-peers: beside other readers
# make fuzz    each parser against random input, FUZZTIME each

GO       ?= go
FUZZTIME ?= 30s
SEED     ?= 42
QRBENCH  ?= --qrsynth ../shared/qrsynth --seed $(SEED) --rounds 3 --sequences 20 --clock cpu \
            --only easy,medium,hard,none,zxing,jsqr,negatives,eu-dcc,empty
VERSION  := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
BUILT    := $(shell git show -s --format=%ct HEAD 2>/dev/null || echo 0)
LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.built=$(BUILT)
# Version and time are set above; asking git for it again fails where the folder has another owner.
export GOFLAGS := $(GOFLAGS) -buildvcs=false
BENCH    := $(GO) test -run '^$$' -bench . -benchmem
PROGRAMS := gated regiond gatectl
STATIC   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'

# What the tests need beside Go: OpenCV for the build tag, a browser for the screens with a
# font for their Chinese, systemd-analyze for the units, two other readers of codes.
TEST_PACKAGES := libopencv-dev pkg-config g++ chromium fonts-noto-cjk systemd libzxing-dev libzbar-dev

.PHONY: scores build demo test arm bench bench-qr bench-peers fuzz check unit race opencv needs clean

build:
	$(STATIC) -o bin/ $(addprefix ./cmd/,$(PROGRAMS))

demo: build
	bin/gatectl demo

test: needs check arm unit scores race opencv

arm:
	GOARCH=arm64 $(STATIC) -o bin/arm64/ $(addprefix ./cmd/,$(PROGRAMS))
	GOARCH=arm GOARM=7 $(STATIC) -o bin/armv7/ $(addprefix ./cmd/,$(PROGRAMS))
	@size=$$(stat -c %s bin/armv7/gated); echo "gated for armv7: $$size bytes"; \
	 if [ $$size -ge 32000000 ]; then echo "gated for armv7 must stay under 32000000 bytes" >&2; exit 1; fi

check:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt would change:" $$unformatted >&2; exit 1; fi
	$(GO) vet ./...

unit:
	$(GO) test -timeout 20m ./...

# What issuers, member states and standards published, and how much of it is met.
scores:
	@out=$$($(GO) test -count=1 -v ./credential ./credential/revocation ./policy/certlogic ./cmd/jsonld 2>&1 && \
	       $(GO) test -count=1 -v -run NormativePictures ./cmd/gatectl 2>&1) || { echo "$$out"; exit 1; }; \
	 echo "$$out" | grep -oE '[a-zA-Z0-9/ -]+: [0-9]+ passed, [0-9]+ failed.*' | sort

# The parts that share memory between goroutines, under the race detector.
race:
	$(GO) test -race -timeout 20m ./gate/ ./scanner ./scanner/module ./sensors/... ./sync/...

opencv:
	@if pkg-config --exists opencv4 2>/dev/null; then \
	   echo "$(GO) test -tags opencv ./scanner/..."; CGO_ENABLED=1 $(GO) test -tags opencv -timeout 30m ./scanner/...; \
	 elif [ "$(CI)" = true ]; then echo "opencv4 is not installed: the build tag is not tested" >&2; exit 1; \
	 else echo "left out: the opencv build tag (apt-get install libopencv-dev g++)"; fi

needs:
	@missing=; for p in $(TEST_PACKAGES); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	 if [ -z "$$missing" ]; then exit 0; fi; \
	 if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	   echo "installing$$missing"; apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing >/dev/null; \
	 else echo "not installed:$$missing: tests that need them are left out"; fi

bench: build
	bin/gatectl bench
	@echo; echo "codes: from text to verified pass, by format"
	$(BENCH) ./credential ./cmd/jsonld
	@echo; echo "codes taken back, sealed fields, a nation's trust"
	$(BENCH) ./credential/revocation ./credential/envelope ./credential/trust
	@echo; echo "rules: a verdict by 200, 1,000 adopted, those that states publish"
	$(BENCH) ./policy/...
	@echo; echo "the eye, the book, the region that issues"
	$(BENCH) ./scanner/... ./store ./sync/... ./cmd/regiond
	@echo; echo "size of gated for a 32-bit board, and its memory in the demo (gated_peak_kib):"
	@$(MAKE) --no-print-directory arm
	bin/gatectl demo --for 20s --json | tail -n 1

# Readers of codes on photographs, on drawn frames of a seed, on sequences; with peers beside.
bench-qr:
	$(STATIC) -o bin/ ./cmd/qrbench
	bin/qrbench $(QRBENCH)

bench-peers:
	sh cmd/qrbench/peers/needs.sh
	$(STATIC) -o bin/ ./cmd/qrbench
	bin/qrbench --peers $(QRBENCH)

fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
	   for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	     echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$pkg; \
	   done; \
	 done

clean:
	rm -rf bin
