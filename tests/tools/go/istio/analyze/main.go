// Files of manifests in, what Istio's analysers say of them out, as JSON.
//
// `istioctl analyze --use-kube=false` leaves out every analyser that asks for Pods, Services, Namespaces or Secrets, even
// when the files hold some. This runs all of them, as Istio's own tests do.
package main

import (
	"encoding/json"
	"log"
	"os"

	"istio.io/istio/pkg/config/analysis/analyzers"
	"istio.io/istio/pkg/config/analysis/local"
	istiolog "istio.io/istio/pkg/log"
)

func main() {
	log.SetFlags(0)
	options := istiolog.DefaultOptions()
	options.SetDefaultOutputLevel("all", istiolog.ErrorLevel)
	if err := istiolog.Configure(options); err != nil {
		log.Fatal(err)
	}
	var sources []local.ReaderSource
	for _, name := range os.Args[1:] {
		file, err := os.Open(name)
		if err != nil {
			log.Fatal(err)
		}
		defer file.Close()
		sources = append(sources, local.ReaderSource{Name: name, Reader: file})
	}
	analyser := local.NewIstiodAnalyzer(analyzers.AllCombined(), "", "istio-system", nil)
	if err := analyser.AddTestReaderKubeSource(sources); err != nil {
		log.Fatal(err)
	}
	result, err := analyser.Analyze(make(chan struct{}))
	if err != nil {
		log.Fatal(err)
	}
	if len(result.SkippedAnalyzers) > 0 {
		log.Fatal("skipped: ", result.SkippedAnalyzers)
	}
	found := []map[string]any{}
	for _, message := range result.Messages {
		found = append(found, message.Unstructured(true))
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}
