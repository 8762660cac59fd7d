package render

import "github.com/plonec/plonec/topology"

var appArtifacts = []Artifact{}

func appSecrets(h *topology.Host) []SecretFile { return nil }
