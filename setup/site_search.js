// Put before MkDocs' search/main.js by setup/site_pages.py. Pages that are opened from a folder may start no worker and
// send no request, so there the index comes as a script, and the page itself does what worker.js does elsewhere.
if (location.protocol === "file:") {
  window.Worker = function () {
    var worker = this, index, documents = {};
    function load(name, then) {
      var script = document.createElement("script");
      script.src = joinUrl(base_url, "search/" + name);
      script.onload = then;
      document.head.appendChild(script);
    }
    function build() {
      lunr.tokenizer.separator = new RegExp(searchIndex.config.separator);
      index = lunr(function () {
        this.field("title");
        this.field("text");
        this.ref("location");
        searchIndex.docs.forEach(function (page) {
          this.add(page);
          documents[page.location] = page;
        }, this);
      });
      worker.onmessage({ data: { config: searchIndex.config } });
      worker.onmessage({ data: { allowSearch: true } });
    }
    this.postMessage = function (message) {
      // pages without the field of the search's own page never ask
      if (message.init && document.getElementById("mkdocs-search-query")) {
        load("lunr.js", function () { load("search_index.js", build); });
      } else if (message.query) {
        var found = index.search(message.query).map(function (hit) {
          var page = documents[hit.ref];
          return { location: page.location, title: page.title, summary: page.text.substring(0, 200) };
        });
        worker.onmessage({ data: { results: found } });
      }
    };
  };
}
