document.title = "scripted";
