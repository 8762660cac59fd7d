# What a contributor runs. `make test` is the whole check; CONTRIBUTING.md says more.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build release test shuffle test-systems e2e demo tools lint update bench fuzz clean

# The program itself.
build:
	go build -o plonec ./cmd/plonec

# The archives of a release for linux and macOS, with their checksums, in dist/.
release:
	testdata/release

# Every test, with the real daemons: twelve minutes of CPU, lint is twenty seconds of it. More
# the first time, and half a minute more of CPU when a script that others source was changed,
# which shellcheck reads with all of them. The two packages that take longest, much of it
# waiting, are first, so that they run beside each other.
test: tools lint
	go test -timeout 20m ./render ./cmd/plonec ./...

# The packages whose tests take less than five seconds, in twenty orders (with -count
# alone one order is repeated), and the quickest scripts of the command line twenty
# times. Three and a half minutes of CPU, the first half of them on one core.
QUICK = $(addprefix internal/,child diag git opsworks regular secret topology tree) render/escape
QUICK_SCRIPTS = init|merge|usage
shuffle:
	programs=$$(mktemp -d) && trap 'rm -r "$$programs"' EXIT && \
	go test -c -o "$$programs/" $(addprefix ./,$(QUICK)) && \
	for n in $$(seq 20); do for package in $(QUICK); do \
		said=$$(cd $$package && "$$programs/$${package##*/}.test" -test.shuffle=on 2>&1) || { echo "$$package: $$said"; exit 1; }; \
	done; done
	go test -shuffle=on -count=20 -run '^TestScripts$$/^($(QUICK_SCRIPTS))$$' ./cmd/plonec

# What a system's own programs judge, once for each system that plonec writes
# for, in roots that debootstrap makes: needs root, or sudo without a password.
# About four minutes, eight with an empty cache.
test-systems:
	testdata/tools systems
	testdata/systems

# Real hosts, a real Plone, a load from outside, and faults: needs root, or sudo
# without a password. All of it, more than an hour, or one group of scenarios (deploys,
# faults, day-two, projects, services): writes the section of docs/evidence.md of each
# group that passed. With CORE=1 what CI runs of them, 35 minutes at most: writes nothing.
e2e:
	testdata/e2e $(if $(GROUP),--group '$(GROUP)') $(if $(CORE),--core)

# The zeo example on such hosts, served to a browser here until Ctrl-C.
demo:
	testdata/demo

# What the tests need besides Go: daemons, shellcheck, Python, a browser, shells.
tools:
	testdata/tools
	testdata/tools browser
	testdata/tools shells

lint:
	@dirs=$$(go list -f '{{.Dir}}' ./...); test -z "$$(gofmt -l $$dirs)" || { echo "not gofmt:"; gofmt -l $$dirs; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

# Rewrite the goldens and the generated documentation.
update:
	go test ./cmd/plonec ./schema -update

# Compile time and memory beside floors of the same run.
bench:
	go test -run '^$$' -bench . -benchtime 1x ./...

# A short run of every fuzz target.
FUZZTIME ?= 20s
fuzz:
	testdata/fuzz $(FUZZTIME)

clean:
	testdata/systems clean
	testdata/hosts clean
	rm -rf plonec .cache
