package opsworks

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// What only a person can decide.

// layerAsks asks about what the console set for a layer.
func (c *converter) layerAsks(name string, l *input.Node) {
	path := "layers." + name
	var packages []string
	for _, p := range itemsOf(l.Get("Packages")) {
		packages = append(packages, printable(p.Text))
	}
	if len(packages) > 0 {
		c.ask(path, "OpsWorks installed packages on its hosts: "+strings.Join(packages, ", "),
			"put those that the buildout needs into deploy.<app>.os_packages, by the names of today's system")
	}
	if v := l.Get("EnableAutoHealing"); v != nil && v.Text == "true" {
		c.ask(path, "OpsWorks replaced its hosts when they failed (auto healing)", "watch the hosts yourself: plonec status --exit-code says what does not run")
	}
	if v := l.Get("AutoAssignElasticIps"); v != nil && v.Text == "true" {
		c.ask(path, "its hosts got Elastic IPs", "keep the addresses, or point the site's names at the new hosts")
	}
}

// balancers asks about what stood around the stack.
func (c *converter) balancers(stack *input.Node) {
	for _, b := range append(itemsOf(stack.Get("elb-load-balancers")), c.in.outputs["ElasticLoadBalancers"]...) {
		name := printable(str(b, "name", "ElasticLoadBalancerName", "dns_name", "DnsName"))
		c.ask("plonec.public_scheme", "the Elastic Load Balancer "+name+" stood in front of the stack",
			"where it terminates TLS, set plonec.public_scheme to https and plonec.trusted_proxies to its networks; have it check /plonec/health")
	}
	for _, d := range append(itemsOf(stack.Get("rds_instances")), c.in.outputs["RdsDbInstances"]...) {
		c.ask("deploy.<app>.database", "the stack used the RDS database "+printable(str(d, "db_instance_identifier", "DbInstanceIdentifier", "address", "Address")),
			"let the new client hosts reach it: its security group named OpsWorks' own")
	}
}

// scaling asks about a host that was not always there.
func (c *converter) scaling(h *host) {
	path := "instances." + h.name
	switch h.kind() {
	case "time-based":
		when := ""
		for _, t := range c.in.outputs["TimeBasedAutoScalingConfigurations"] {
			if str(t, "InstanceId") == h.id && h.id != "" {
				when = schedule(t.Get("AutoScalingSchedule"))
			}
		}
		c.ask(path, "it was started by time"+when, "plonec has no schedules yet: keep it online, start it by other means, or take it out")
	case "load-based":
		c.ask(path, "it was started by load"+c.thresholds(h), "plonec does not scale yet: keep it online, or take it out")
	}
}

var days = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// schedule is a time-based instance's week, as hours in UTC.
func schedule(n *input.Node) string {
	var parts []string
	for _, day := range days {
		var hours []int
		for _, f := range fieldsOf(n.Get(day)) {
			if hour, err := strconv.Atoi(f.Key); err == nil && f.Value.Text == "on" {
				hours = append(hours, hour)
			}
		}
		slices.Sort(hours)
		var on []string
		for i := 0; i < len(hours); {
			j := i
			for j+1 < len(hours) && hours[j+1] == hours[j]+1 {
				j++
			}
			on = append(on, fmt.Sprintf("%d-%d", hours[i], hours[j]+1))
			i = j + 1
		}
		if on != nil {
			parts = append(parts, day[:2]+" "+strings.Join(on, ","))
		}
	}
	if parts == nil {
		return ""
	}
	return ": " + strings.Join(parts, " ") + " UTC"
}

// thresholds are the limits between which a layer's load-based hosts ran.
func (c *converter) thresholds(h *host) string {
	for _, l := range c.in.outputs["Layers"] {
		if !slices.ContainsFunc(h.layers, func(n *input.Node) bool { return n.Text == shortName(l) }) {
			continue
		}
		for _, s := range c.in.outputs["LoadBasedAutoScalingConfigurations"] {
			up, down := s.Lookup("UpScaling", "CpuThreshold"), s.Lookup("DownScaling", "CpuThreshold")
			if str(s, "LayerId") == str(l, "LayerId") && up != nil && down != nil {
				return fmt.Sprintf(": up from %s %% CPU, down from %s %%", printable(up.Text), printable(down.Text))
			}
		}
	}
	return ""
}

// sentAsks asks about what the service sent and a person has to do now.
func (c *converter) sentAsks(path []string, n *input.Node) {
	if len(path) > 1 {
		return
	}
	switch path[0] {
	case "ssh_users":
		var names []string
		for _, f := range fieldsOf(n) {
			names = append(names, printable(cmp.Or(str(f.Value, "name"), f.Key)))
		}
		c.ask("ssh_users", "OpsWorks made logins for "+strings.Join(names, ", "), "make those on the hosts that are still needed; plonec needs one that may use sudo (plonec.ssh.user)")
	case "ebs":
		for _, f := range fieldsOf(n.Get("devices")) {
			if mount := str(f.Value, "mount_point"); mount != "" {
				c.ask("ebs", "an EBS volume was mounted at "+printable(mount), "attach it, or a disk with its data, there before the first apply: plonec mounts nothing")
			}
		}
	}
}

// ploneVersion matches a version in the name of a branch or a tag.
var ploneVersion = regexp.MustCompile(`(?i)plone[-_/]?v?([4-6]\.[0-3])(\D|$)`)

// decide ends the migration: what is set because it must be, and the list of
// what is left to a person, the weightiest first.
func (c *converter) decide() {
	c.systems()
	c.version()
	c.volumes()
	c.withheld()
	for _, d := range c.check().Sorted() {
		switch {
		case d.Code == "no-effect" && d.Path == show(mountPoint): // the service's word, or this program's
			c.set(mountPoint, nil)
		case d.Severity() == diag.Warning:
			c.ask(d.Path, d.Message, d.Remedy)
		}
	}
	c.plain(schema.Root(), c.tree, nil)
	c.report.Decide = append(c.report.Decide, c.asked...)
	c.report.Count(c.tree)
}

// check is all that plonec check says of the stack as it is now.
func (c *converter) check() diag.List {
	built, list, err := compile.Assemble(c.tree, tree.Inputs{}, &compile.Options{})
	if built == nil || err != nil {
		return list
	}
	if more, err := built.Idle(list); err == nil {
		list = append(list, more...)
	}
	return list
}

// firstAsk puts a decision before those found on the way.
func (c *converter) firstAsk(path, what, remedy string) {
	c.report.Decide = append(c.report.Decide, Finding{Path: path, Text: what, Remedy: remedy})
}

// systems: OpsWorks' systems are none that plonec writes for.
func (c *converter) systems() {
	var seen []string
	add := func(s string) {
		if s = printable(s); s != "" && s != "Custom" && !slices.Contains(seen, s) {
			seen = append(seen, s)
		}
	}
	for _, s := range c.in.outputs["Stacks"] {
		add(str(s, "DefaultOs"))
	}
	for _, h := range c.hosts {
		add(str(h.facts, "Os", "os"))
	}
	ran := "the files do not say what the hosts ran on"
	if len(seen) > 0 {
		ran = "the hosts ran on " + strings.Join(seen, ", ")
	}
	path := []string{"plonec", "os"}
	if at(c.tree, path) == nil {
		c.set(path, schema.Lookup("plonec.os").Default)
		c.note(path, "DECIDE: the system of the new hosts.")
	}
	c.firstAsk("plonec.os", ran+"; the files are written for "+at(c.tree, path).Text, "take new hosts with a system that plonec knows, and write their addresses into instances")
}

// version: which Plone it is decides how the clients are configured.
func (c *converter) version() {
	path := []string{"plonec", "plone_version"}
	if at(c.tree, path) == nil {
		found, from := "", ""
		for _, f := range fieldsOf(c.tree.Get("deploy")) {
			where := []string{f.Key, "scm", "revision"}
			if m := ploneVersion.FindStringSubmatch(str(at(c.tree.Get("deploy"), where[:2]), "revision")); m != nil && slices.Contains(schema.Lookup("plonec.plone_version").Enum, m[1]) {
				found, from = m[1], show(append([]string{"deploy"}, where...))
				break
			}
		}
		if found == "" {
			c.set(path, schema.Lookup("plonec.plone_version").Default)
			c.note(path, "DECIDE: the Plone that the buildout has.")
			c.firstAsk("plonec.plone_version", "the files do not say which Plone the buildout has; "+at(c.tree, path).Text+" is assumed", "write it: clients before 5.2 are configured differently")
		} else {
			c.set(path, text(found))
			c.note(path, "as "+from+" says.")
			c.firstAsk("plonec.plone_version", from+" names Plone "+found, "write another version where that is wrong")
		}
	}
	before := slices.Contains([]string{"4.3", "5.0", "5.1"}, at(c.tree, path).Text)
	for _, f := range fieldsOf(c.tree.Get("deploy")) {
		where := []string{"deploy", f.Key, "python_major_version"}
		if v := at(c.tree, where); v != nil && strings.HasPrefix(v.Text, "2") && !before {
			c.set(where, nil)
			c.dropped(where, "Plone "+at(c.tree, path).Text+" does not run on Python 2")
			c.firstAsk("plonec.plone_version", "deploy."+f.Key+" asked for Python "+printable(v.Text)+": that is a Plone before 5.2, or one on its way to Python 3", "write the version; upgrade Plone first on hosts that still have Python 2, or put a python2.7 on the new ones")
		} else if before && v != nil && !strings.HasPrefix(v.Text, "2") {
			c.set(where, nil)
		}
	}
}

// volumes: what was mounted, by the layers and by describe-volumes.
func (c *converter) volumes() {
	for _, l := range c.in.outputs["Layers"] {
		for _, v := range itemsOf(l.Get("VolumeConfigurations")) {
			if mount := str(v, "MountPoint"); mount != "" {
				c.volume("layers."+shortName(l), mount, gigabytes(v))
			}
		}
	}
	for _, v := range c.in.outputs["Volumes"] {
		where := "instances"
		for _, h := range c.hosts {
			if h.id != "" && h.id == str(v, "InstanceId") {
				where = "instances." + h.name
			}
		}
		if mount := str(v, "MountPoint"); mount != "" {
			c.volume(where, mount, gigabytes(v))
		}
	}
}

func gigabytes(v *input.Node) string {
	if size := v.Get("Size"); size != nil && size.Kind == input.Number {
		return " of " + size.Text + " GiB"
	}
	return ""
}

// withheld: secrets whose values nobody here knows.
func (c *converter) withheld() {
	for _, s := range c.secrets {
		if s.Withheld {
			c.firstAsk(s.Path, "OpsWorks withheld the secret", "write it into "+draft.SecretsDir+"/"+s.Name)
		}
	}
}

// printable keeps a text of somebody else's on one line, and short.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
