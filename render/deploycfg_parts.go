package render

import (
	"slices"
	"strings"
)

// Parts lists what buildout makes here, each once, by the project's names.
func (d deployCfg) Parts() []string {
	var parts []string
	add := func(names ...string) {
		for _, name := range names {
			if name != "" && !slices.Contains(parts, name) {
				parts = append(parts, name)
			}
		}
	}
	for _, c := range d.Clients {
		add(c.Name)
	}
	if d.BrokerHost != "" {
		add("celery")
	}
	if d.Pack {
		add(d.packParts()...)
	}
	if names := d.Config.Parts; d.ZeoHost() {
		add(names.Zeoserver, names.Backup)
		if d.Zeoserver().EnableBackup {
			add(names.Backupcronjob)
		}
		if d.Zeoserver().EnablePack && !slices.Contains(d.Replaced(), names.Packcronjob) {
			add(names.Packcronjob)
		}
	}
	add(d.Config.BuildoutPartsToInclude...)
	return parts
}

// DoneElsewhere are parts that a base may have and that no host of plonec's builds, by
// these names, and who does what they would. docs/buildout.md has them too.
var DoneElsewhere = []struct {
	Names []string
	Why   string // goes behind a name
}{
	// systemd starts and watches the processes.
	{[]string{"supervisor", "supervisord"}, "is systemd's work"},
	// Front ends have their daemons from the system.
	{[]string{"nginx", "nginx-build", "nginx-conf", "varnish", "varnish-build", "varnish-conf", "haproxy", "haproxy-build", "haproxy-conf"}, "is the system's"},
}

// NotOnHosts lists the parts that deploy.cfg leaves out on every host of clients that are
// made from a section: those that are done elsewhere, and what the clients are made from,
// which would have a twin at one of their ports.
func NotOnHosts(client string) []string {
	var names []string
	for _, e := range DoneElsewhere {
		names = append(names, e.Names...)
	}
	return append(names, client, "instance")
}

// leftOut are parts that a base may have and that a host of plonec's does without: by
// which rule, and their names. docs/buildout.md has the same table.
var leftOut = []struct {
	on    func(deployCfg) bool
	names func(deployCfg) []string
}{
	{everywhere, func(d deployCfg) []string { return NotOnHosts(d.Config.Parts.Client) }},
	// The clients ask a ZEO server elsewhere, or RelStorage.
	{storedElsewhere, func(d deployCfg) []string { return []string{d.Config.Parts.Zeoserver, "zeoserver", "zeo"} }},
	// A timer does their work.
	{everywhere, func(d deployCfg) []string { return d.Replaced() }},
}

func everywhere(deployCfg) bool { return true }

func storedElsewhere(d deployCfg) bool {
	return d.Zeo == nil && (d.Storage.ZeoAddress != "" || d.Storage.RelStorage != nil)
}

// LeftOut lists those of them that apply here: not what is asked for, what a command runs,
// or what the stack keeps. A supervisor of the buildout's own runs what that says.
func (d deployCfg) LeftOut() []string {
	if !d.Config.BuildoutInheritParts || d.Supervised() {
		return nil
	}
	wanted := append(d.Parts(), d.Config.Parts.Keep...)
	for _, c := range d.Commands {
		wanted = append(wanted, c.Cmd[strings.LastIndex(c.Cmd, "/")+1:])
	}
	var names []string
	for _, rule := range leftOut {
		if !rule.on(d) {
			continue
		}
		for _, name := range rule.names(d) {
			if name != "" && !slices.Contains(wanted, name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// An option of a buildout's section.
type option struct{ Section, Name string }

// optionOf is an option as the stack names it, section:option; nil: there is none.
func optionOf(text string) *option {
	section, name, ok := strings.Cut(text, ":")
	if !ok {
		return nil
	}
	return &option{section, name}
}

// TellZeo and TellMemcached are the options by which the project is told of these.
func (d deployCfg) TellZeo() *option       { return optionOf(d.Config.Parts.ZeoAddress) }
func (d deployCfg) TellMemcached() *option { return optionOf(d.Config.Parts.Memcached) }

// blobCache is where clients keep blobs that they share with nobody.
const blobCache = "${buildout:directory}/var/blobcache"

// BlobCache is that, for the template.
func (deployCfg) BlobCache() string { return blobCache }

// client1 is the section that the cookbook made clients from.
const client1 = "client1"

// Macro is the section that the clients are made from, where it is none of them itself.
func (d deployCfg) Macro() string {
	if len(d.Clients) == 0 || d.Config.Parts.Client == client1 {
		return ""
	}
	return d.Config.Parts.Client
}

// Legacy tells whether the base may look for the ZEO server's address where the
// cookbook's first ones did.
func (d deployCfg) Legacy() bool {
	names := d.Config.Parts
	return len(d.Clients) > 0 && d.ZeoAddress() != "" && names.Zeoserver == "zeoserver" && names.ZeoAddress == "zeo-host:address"
}
