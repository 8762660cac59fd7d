package plan

import "slices"

// SetupDue tells whether an apply would set the host up.
func (m *Host) SetupDue() bool { return m.Setup != m.Seen.Setup }

// newPackages are those that setup makes sure of and that an earlier one did not.
func (m *Host) newPackages() []string {
	return slices.DeleteFunc(slices.Clone(m.Packages), func(p string) bool { return slices.Contains(m.Seen.Packages, p) })
}
