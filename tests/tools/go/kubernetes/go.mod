module dynagen.test/tools/kubernetes

go 1.26.8
