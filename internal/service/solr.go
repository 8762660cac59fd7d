package service

// Solr searches.
var Solr = add(Service{
	Name: "solr", Title: "Solr", Role: "solr", Use: Search, ByHand: "Solr",
	Shows: func(h Host) []Process {
		list := []Process{{What: "Solr"}}
		if dir := h.Stack.PloneSolr.DataDir; dir != "" {
			list = append(list, Process{"index", dir})
		}
		return list
	},
})
