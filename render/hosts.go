package render

var hostArtifacts = []Artifact{}
