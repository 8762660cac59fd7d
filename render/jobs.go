package render

import "github.com/plonec/plonec/internal/topology"

// jobArtifacts are the work that is done now and then: a timer, and the service that
// it starts, for each job of an app that has its time.
var jobArtifacts = []Artifact{
	{Template: "job.timer.tmpl", Each: jobTimers},
	{Template: "job.service.tmpl", Each: jobServices},
}

// A job is what the templates of both see.
type job struct {
	topology.TimedJob
	Description string
	App         string
	Identifier  string
	Program     string // the host's verbs
	After       string // what has to run for it, where that is here
	Slice       string
}

func newJob(t topology.TimedJob) job {
	j := job{
		TimedJob: t, Description: t.Title + " of " + t.App.Name, App: t.App.Name, Identifier: t.Unit(),
		Program: ScriptDir + "/host", Slice: appSlice(t.App),
	}
	if t.App.Zeo != nil {
		j.After = t.App.Zeo.Unit
	}
	return j
}

// eachJob gives an instance for each job that a timer starts on a host.
func eachJob(h *topology.Host, instance func(job) Instance) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		for _, t := range a.TimedJobs() {
			all = append(all, instance(newJob(t)))
		}
	}
	return all
}

func jobTimers(h *topology.Host) []Instance {
	return eachJob(h, func(j job) Instance {
		timer := j.Unit() + ".timer"
		return Instance{Path: unitPath(timer), Effects: []string{"restart:" + timer}, Data: j}
	})
}

// Nothing is done where the service changes: its next start reads it.
func jobServices(h *topology.Host) []Instance {
	return eachJob(h, func(j job) Instance { return Instance{Path: unitPath(j.Unit() + ".service"), Data: j} })
}
