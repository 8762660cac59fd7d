package schema

import (
	"path"
	"strings"
)

// derive fills in the defaults that follow from other attributes, in sections
// that are not shared with base.
func derive(s, base *Stack) {
	e := s.InitialSetup.EphemeralMountPoint
	if e == "" {
		e = "/"
	}
	or := func(p *string, value string) {
		if *p == "" {
			*p = value
		}
	}
	if p := s.PloneInstances; base == nil || p != base.PloneInstances {
		p.Subsites, p.SubsiteConfig = lowerKeys(p.Subsites), lowerKeys(p.SubsiteConfig)
	}
	if base == nil || s.PloneZeoserver != base.PloneZeoserver {
		or(&s.PloneZeoserver.FilestorageDir, path.Join(e, "shared/zodb/filestorage"))
	}
	if base == nil || s.PloneBlobs != base.PloneBlobs {
		or(&s.PloneBlobs.GlusterExportDir, path.Join(e, "gluster-exports"))
	}
	if base == nil || s.PloneSolr != base.PloneSolr {
		or(&s.PloneSolr.DataDir, path.Join(e, "shared/solr"))
	}
	if base == nil || s.Redis != base.Redis {
		or(&s.Redis.Config.Dir, path.Join(e, "redis"))
	}
	if base == nil || s.NewRelic != base.NewRelic {
		or(&s.NewRelic.ApplicationMonitoring.AppName, s.PloneInstances.AppName)
	}
	if base == nil || s.Haproxy != base.Haproxy {
		s.Haproxy.Rise = max(s.Haproxy.Rise, minRise)
	}
}

// lowerKeys writes the keys of a map, which are domains, in small letters.
func lowerKeys[V any](m map[string]V) map[string]V {
	lower := make(map[string]V, len(m))
	for _, key := range sortedKeys(m) {
		lower[strings.ToLower(key)] = m[key]
	}
	return lower
}
