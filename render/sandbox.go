package render

import (
	"fmt"
	"slices"

	"github.com/plonec/plonec/internal/topology"
)

// A SandboxLine is one of the sandbox of the units that plone_instances.sandbox_lift
// can lift. The others cannot be: without NoNewPrivileges, which most of them imply
// anyway, without ProtectSystem or with capabilities a client is no longer the app's
// user in its own directories.
type SandboxLine struct {
	Name string // systemd's; its whole setting is left out
	For  string // which programs need that
	Cost string // what whoever breaks into a process can do then
}

// Lines whose names others use.
const (
	writeExecute = "MemoryDenyWriteExecute"
	callFilter   = "SystemCallFilter"
)

var sandboxLines = []SandboxLine{
	{writeExecute, "programs that make code as they run: `java`, `node`, LuaJIT, PyPy",
		"a flaw that lets somebody write into a process' memory lets him run what he wrote"},
	{callFilter, "programs that call the kernel for more than a service does: debuggers and profilers (`py-spy`), Chromium",
		"every call of the kernel can be made, and so every flaw of one be used"},
	{"RestrictNamespaces", "programs with a sandbox of their own: Chromium and what prints with it (with `SystemCallFilter`), bubblewrap",
		"within a user namespace of its own a process is root to parts of the kernel that are made for root alone, where many of its flaws were"},
	{"RestrictAddressFamilies", "programs that ask the kernel for its addresses by netlink: `os.networkInterfaces()` of node",
		"sockets of every kind: netlink, Bluetooth, virtual machines"},
	{"ProtectProc", "agents that look at other processes",
		"the command lines of all users' processes can be read"},
	{"PrivateDevices", "programs that use a device: a graphics card, `/dev/fuse`",
		"devices that the app's user may open can be opened"},
	{"PrivateTmp", "files and sockets in `/tmp` that are shared with another program of the host",
		"every user of the host sees the names there, and can take one first; what is left there stays"},
	{"ProtectHome", "programs that read in a home: settings, fonts, keys",
		"what the app's user may read below /home and /root can be read, its ssh keys too; written it cannot be"},
}

// SandboxLines are all that plone_instances.sandbox_lift can lift, in the order of the
// documentation.
func SandboxLines() []SandboxLine { return sandboxLines }

// liftedBy are the lines that the stack lifts for what runs an app's code: its clients
// and its other processes, not its ZEO server.
func liftedBy(a *topology.App) []string {
	if s := a.Host.Stack.PloneInstances; s != nil {
		return s.SandboxLift
	}
	return nil
}

// Keeps tells that a line that can be lifted is not.
func (u *unit) Keeps(name string) bool {
	if !slices.ContainsFunc(sandboxLines, func(l SandboxLine) bool { return l.Name == name }) {
		panic(fmt.Sprintf("a template asks for %s, which no row of the sandbox has", name))
	}
	return !slices.Contains(u.lifted, name)
}
