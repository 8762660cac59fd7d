package plan

import "slices"

// Unfitting is what to do where a release is of a stack with fewer processes.
const Unfitting = "those of a stack with fewer clients do not fit; take the stack back: git revert, plonec build, plonec deploy"

// LastGood is where hosts go back to, from the newest release that is current
// somewhere; nil: nowhere.
func LastGood(states []AppStatus) []string {
	last := Newest(states)
	everywhere := func(r string) bool {
		return !slices.ContainsFunc(states, func(s AppStatus) bool { return !slices.Contains(s.Kept, r) || !s.fits(r) })
	}
	own, common, alike := make([]string, len(states)), "", true
	for i, s := range states {
		for _, r := range s.before(last) {
			own[i] = r
			if i == 0 && everywhere(r) {
				common = r
			}
		}
		// Scripts of before may not tell of which commit a release is.
		commit := s.Commits[own[i]]
		alike = alike && own[i] != "" && (commit != "" || own[i] == own[0]) && commit == states[0].Commits[own[0]]
	}
	switch {
	case alike:
		return own
	case common == "":
		return nil
	}
	return slices.Repeat([]string{common}, len(states))
}

// Newest is of the releases that are current somewhere the one that no host has
// left for another of them; of two that no host ran both of, the later name.
func Newest(states []AppStatus) string {
	var current []string
	for _, s := range states {
		if slices.Contains(s.Kept, s.Release) && !slices.Contains(current, s.Release) {
			current = append(current, s.Release)
		}
	}
	slices.Sort(current)
	for _, r := range slices.Backward(current) {
		left := slices.ContainsFunc(states, func(s AppStatus) bool {
			ran := s.way()
			at := slices.Index(ran, r)
			return at >= 0 && slices.ContainsFunc(ran[at+1:], func(later string) bool { return slices.Contains(current, later) })
		})
		if !left {
			return r
		}
	}
	return ""
}

// way lists the releases that led to the host's current one, itself last. Scripts
// of before do not tell: there the names do, as far as they can.
func (a *AppStatus) way() []string {
	if len(a.ran) > 0 {
		return a.ran
	}
	var way []string
	for _, r := range slices.Sorted(slices.Values(a.Kept)) {
		if r <= a.Release {
			way = append(way, r)
		}
	}
	return way
}

// before lists the releases of a host's way that a rollback from a release may
// go to, the last one last. One that the host did not run is yet to come there.
func (a *AppStatus) before(release string) []string {
	way := a.way()
	if at := slices.Index(way, release); at >= 0 {
		way = way[:at]
	}
	return slices.DeleteFunc(slices.Clone(way), func(r string) bool { return !slices.Contains(a.Kept, r) || !a.fits(r) })
}

// fits tells whether a release that the host keeps ran well there, and can now.
func (a *AppStatus) fits(release string) bool {
	return !slices.Contains(slices.Concat(a.Bad, a.built, a.Unfit), release)
}
