print("lcw")
