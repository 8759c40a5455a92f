(function () {
  var field = document.getElementById("words"), told = document.getElementById("found"), texts = null, timer = 0;
  var rows = document.querySelectorAll("tbody tr");
  function look() {
    var words = field.value.toLowerCase().split(/\s+/), found = 0;
    if (!texts) texts = Array.prototype.map.call(rows, function (row) { return (row.title + " " + row.textContent).toLowerCase(); });
    for (var n = 0; n < rows.length; n++) {
      var fits = words.every(function (word) { return texts[n].indexOf(word) >= 0; });
      if (rows[n].hidden === fits) rows[n].hidden = !fits;
      if (fits) found++;
    }
    told.textContent = field.value ? found + " of " + rows.length + " hold these words" : "";
  }
  document.getElementById("search").hidden = false;
  field.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(look, 120); });
})();
