package frontend

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
)

// A Machine is what programs were compiled for: what packages of npm bring is for one.
type Machine struct {
	Type  string // as uname -m says it
	Glibc string // its version; empty: it has another C library
}

// Ask is a script that prints the machine that runs it, one word a line.
const Ask = `uname -m; getconf GNU_LIBC_VERSION 2>/dev/null || echo other`

// Read takes the lines that Ask printed.
func Read(lines []string) (m Machine) {
	if len(lines) > 0 {
		m.Type = lines[0]
	}
	if len(lines) > 1 {
		m.Glibc, _ = strings.CutPrefix(lines[1], "glibc ")
		if _, ok := number(m.Glibc); !ok {
			m.Glibc = ""
		}
	}
	return m
}

// Here is the machine that plonec runs on, where frontends can be built.
func Here() (Machine, error) {
	if runtime.GOOS != "linux" {
		return Machine{}, diag.WithRemedy("a frontend can be built here on Linux only", elsewhere)
	}
	out, err := exec.Command("/bin/sh", "-c", Ask).Output()
	if err != nil {
		return Machine{}, fmt.Errorf("the type of this machine is not known: %w", err)
	}
	m := Read(strings.Split(strings.TrimSpace(string(out)), "\n"))
	if m.Glibc == "" {
		return m, diag.WithRemedy("this machine has no glibc, and the hosts have", elsewhere)
	}
	return m, nil
}

const elsewhere = `set volto.build_on to "hosts", or run plonec in a container of the hosts' system and machine type`

// What to do where hosts would have, or have built, different frontends of one app.
const (
	Alike = `give both the same volto.node and the same environment, or set volto.build_on to "hosts"`
	Fixed = "name tags that do not move in mrs.developer.json, and Node by its version in volto.node"
)

// Suits tells why what is built on a machine would not run on a host; nil: it does. What is
// compiled with a newer glibc may want what an older one does not have.
func (m Machine) Suits(host Machine) error {
	a, _ := number(m.Glibc)
	b, known := number(host.Glibc)
	switch {
	case host.Type == "" || !known:
		return errors.New("the machine type and the C library of the host are not known")
	case m.Type != host.Type:
		return diag.WithRemedy(fmt.Sprintf("a frontend that is built here is for %s, and the host is %s", m.Type, host.Type), elsewhere)
	case a > b:
		return diag.WithRemedy(fmt.Sprintf("a frontend that is built here may need glibc %s, and the host has %s", m.Glibc, host.Glibc), elsewhere)
	}
	return nil
}

// number makes versions such as 2.36 comparable.
func number(version string) (int, bool) {
	major, minor, _ := strings.Cut(version, ".")
	a, err := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return a*1000 + b, err == nil && err2 == nil
}
