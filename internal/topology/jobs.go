package topology

import (
	"slices"
	"strings"

	"github.com/plonec/plonec/schema"
)

// A Job is work that is done now and then on the hosts that have what it is about: by
// hand, by plonec run NAME, and by a timer where an attribute says when. Either way it
// is done under the lock of the host's verbs, so never beside a deploy or another job.
// What it does for an app is among the Helpers of internal/builder, under its name. A name
// may have several rows, one for each thing that it is done to.
type Job struct {
	Name  string
	Title string // begins the description of its units
	// One of the two says where it is done: for these apps of a host, or for a host
	// as a whole, which no timer does yet.
	App   func(*App) bool
	Host  func(*Host) bool
	Where string // such a host, in words

	At    string                     // the attribute that says when its timer starts it; empty: none does
	When  func(*schema.Stack) string // that time, a calendar of systemd; empty: by hand alone
	Needs string                     // what else that takes, in words
	// Part is the project's part that did the same, which is not asked for beside the timer;
	// nil: there was none.
	Part func(schema.PartNames) string
}

// jobs are all of them but those that make a release.
var jobs = []Job{
	{Name: "backup", Title: "Backup", App: servesZeo, Where: "a host that runs a ZEO server"},
	{
		Name: "pack", Title: "Pack", App: servesZeo, Where: "a host that runs a ZEO server",
		At: "plone_zeoserver.pack_at", When: zeoPackAt, Part: func(p schema.PartNames) string { return p.Packcronjob },
		Needs: "it takes a host that runs a ZEO server, and plone_zeoserver.enable_pack, which is true unless it is set",
	},
	{Name: "pack", Title: "Pack", App: func(a *App) bool { return a.Pack }, Where: "one with the role pack"},
	{Name: "varnish-purge", Host: caches, Where: "a front end with Varnish"},
	{Name: "varnish-restart", Host: caches, Where: "a front end with Varnish"},
}

func servesZeo(a *App) bool { return a.Zeo != nil }

func zeoPackAt(s *schema.Stack) string {
	if !s.PloneZeoserver.EnablePack {
		return ""
	}
	return s.PloneZeoserver.PackAt
}

func caches(h *Host) bool { return h.Front != nil && h.Front.Cache }

// JobNames are the names of all jobs, each once.
func JobNames() []string {
	var names []string
	for _, j := range jobs {
		if !slices.Contains(names, j.Name) {
			names = append(names, j.Name)
		}
	}
	return names
}

// JobIsFor says in words which hosts do the jobs of a name; empty: there is none.
func JobIsFor(name string) string {
	var hosts []string
	for _, j := range jobs {
		if j.Name == name {
			hosts = append(hosts, j.Where)
		}
	}
	return strings.Join(hosts, ", or ")
}

// Jobs are the names of the jobs that the host can do, each once.
func (h *Host) Jobs() []string {
	names := []string{}
	for _, j := range jobs {
		does := j.App != nil && slices.ContainsFunc(h.Apps, j.App) || j.Host != nil && j.Host(h)
		if does && !slices.Contains(names, j.Name) {
			names = append(names, j.Name)
		}
	}
	return names
}

// A TimedJob is a job that a timer starts for an app on its host.
type TimedJob struct {
	Job
	App      *App
	Calendar string // in UTC
}

// Unit is what the job's timer and its service are called in systemd, less the ending.
func (j TimedJob) Unit() string { return strings.TrimSuffix(unit(j.App.Name, j.Name), ".service") }

// TimedJobs are the jobs of the app that a timer starts on its host.
func (a *App) TimedJobs() []TimedJob {
	var list []TimedJob
	for _, j := range jobs {
		if j.At != "" && j.App(a) {
			if at := j.When(a.Host.Stack); at != "" {
				list = append(list, TimedJob{j, a, at})
			}
		}
	}
	return list
}

// Replaced are the parts of the app's buildout whose work a timer does on its host.
func (a *App) Replaced() []string {
	var parts []string
	for _, j := range a.TimedJobs() {
		if part := j.part(); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// part is the project's part that did the same; empty: there is none.
func (j TimedJob) part() string {
	if j.Part == nil {
		return ""
	}
	return j.Part(j.App.Config.Parts)
}

// jobFaults reports times at which nothing is done, and what a timer takes the place of.
func (r *resolver) jobFaults() {
	for _, j := range jobs {
		if j.At == "" {
			continue
		}
		path := strings.Split(j.At, ".")
		done := false
		for _, h := range r.t.Hosts {
			r.near = h
			for _, a := range h.Apps {
				for _, timed := range a.TimedJobs() {
					if timed.At == j.At {
						done = true
						r.timedFaults(timed, path)
					}
				}
			}
		}
		r.near = nil
		if !done && r.d.KeySpan(path...).File != nil {
			r.report("no-effect", path, "nothing runs at that time", j.Needs)
		}
	}
}

func (r *resolver) timedFaults(j TimedJob, path []string) {
	if r.takenUnits(j.App.Host)[j.Unit()+".service"] {
		r.once("same-unit", []string{"deploy", j.App.Name, "buildout_init_commands"},
			"a command would have the unit "+j.Unit()+".service, which "+j.At+" starts", "give the command another name")
	}
	a, host, part := j.App, j.App.Host.Name, j.part()
	switch {
	case part == "":
	case slices.Contains(a.Config.BuildoutPartsToInclude, part):
		r.once("replaced-part", path, "a timer on "+host+" does what the part "+part+" does, which is in deploy."+a.Name+".buildout_parts_to_include",
			"remove the part there")
	case slices.Contains(a.Config.Parts.Keep, part):
		r.once("replaced-part", path, "a timer on "+host+" does what the part "+part+" does, which is in deploy."+a.Name+".parts.keep",
			"remove the part there")
	default:
		r.once("replaced-part", path, "a timer runs it on "+host+": the part "+part+" is left out of deploy.cfg there",
			"what z3c.recipe.usercrontab wrote for it goes with the next release; for another recipe, see crontab -l of the user "+a.Config.User+" there")
	}
}
