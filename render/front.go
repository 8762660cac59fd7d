package render

import "github.com/plonec/plonec/topology"

var frontArtifacts = []Artifact{}

func frontSecrets(h *topology.Host) []SecretFile { return nil }
